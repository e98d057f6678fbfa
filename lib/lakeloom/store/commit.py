"""The one function that writes a Delta table.

It writes with ``txnAppId`` = step and ``txnVersion`` = epoch, so that Delta itself drops a second
write of the same execution, and with the manifest in the commit's ``userMetadata``. Both are
session settings: give it the step's own session, and one table at most once in it.

Source: Delta's "idempotent table writes" (``spark.databricks.delta.write.txnAppId``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lakeloom.core.errors import StoreError, TableError
from lakeloom.core.names import TableName
from lakeloom.core.secrets import mask
from lakeloom.store import refs
from lakeloom.store.describe import describe
from lakeloom.store.lake import Lake

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Delta refuses to read or restore beyond these; history is to last (vacuum goes by inventory).
RETENTION = {
    "delta.logRetentionDuration": "interval 3650 days",
    "delta.deletedFileRetentionDuration": "interval 3650 days",
    "delta.checkpointInterval": "20",
}


@dataclass(frozen=True)
class Mark:
    """Whose write it is: the step, its epoch, and the manifest that goes into the commit."""

    step: str
    epoch: int
    manifest: dict[str, Any]


@dataclass(frozen=True)
class Committed:
    """A commit: the table's version, Delta's own metrics, and whether it stood there already."""

    version: int
    metrics: dict[str, Any]
    already: bool = False


def commit(
    session: SparkSession,
    lake: Lake,
    table: TableName,
    frame: DataFrame,
    mark: Mark,
    *,
    mode: Literal["append", "overwrite", "merge"],
    keys: tuple[str, ...] = (),
    sequence: str | None = None,
    evolve: bool = False,
    properties: Mapping[str, str] | None = None,
) -> Committed:
    """Write `frame` into `table` exactly once for the mark's (step, epoch).

    Parameters
    ----------
    session : SparkSession
        The step's own session; `frame` belongs to it.
    frame : DataFrame
        The rows. For a merge, its keys are unique.
    mode : {'append', 'overwrite', 'merge'}
        ``merge`` updates a row whose `sequence` is not older than the table's, and inserts new keys.
    evolve : bool
        Whether columns may be added.
    properties : mapping, optional
        What the table says of itself: ``comment`` and names with a prefix. A new table is made with them;
        where they, or the comments of the frame's columns, have changed, that gets a commit of its own before
        the rows.

    Raises
    ------
    TableError
        LL-TABLE-006 for a merge without keys.
    StoreError
        LL-STORE-005 where the table was published and its log has gone.
    """
    if lake.epoch(table, mark.step) >= mark.epoch:
        return find(lake, table, mark.step, mark.epoch, already=True)
    if mode == "merge" and not keys:
        raise TableError("LL-TABLE-006", f"{table} is merged and declares no keys", where=str(table), fix="give keys:")
    path, said = lake.path(table), {key: mask(value) for key, value in (properties or {}).items()}
    if lake.exists(table):
        if properties is not None:
            # An overwrite brings its own columns with their comments.
            describe(session, lake, table, said, _comments(frame) if mode != "overwrite" else None)
        _sign(session, mark)
        if mode == "merge":
            _merge(session, path, frame, keys, sequence, evolve)
        else:
            option = ("overwriteSchema", "true") if mode == "overwrite" else ("mergeSchema", str(evolve).lower())
            frame.write.format("delta").mode(mode).option(*option).save(path)
    else:
        _require_new(lake, table, mark)
        _sign(session, mark)
        writer = frame.writeTo(f"delta.`{path}`").using("delta")
        for name, value in (RETENTION | said).items():
            writer = writer.tableProperty(name, value)
        # Not `create`: what a crash left of a first write without a commit (files, an empty log) is no table.
        writer.createOrReplace()
    return find(lake, table, mark.step, mark.epoch)


def restore(session: SparkSession, lake: Lake, table: TableName, version: int, mark: Mark) -> int:
    """Bring `table` back to `version` by a new commit; return the new version."""
    session.conf.unset("spark.databricks.delta.write.txnAppId")
    session.conf.unset("spark.databricks.delta.write.txnVersion")
    back = Mark(mark.step, mark.epoch, mark.manifest | {"restored": version})
    session.conf.set("spark.databricks.delta.commitInfo.userMetadata", _metadata(back))
    session.sql(f"RESTORE TABLE delta.`{lake.path(table)}` TO VERSION AS OF {version}")
    return lake.version(table)


def find(lake: Lake, table: TableName, step: str, epoch: int, *, already: bool = False) -> Committed:
    """Return the commit that `step` made at `epoch`, by the manifests in the table's history."""
    for limit in (3, 50, None):
        for entry in lake.history(table, limit):
            manifest = entry["manifest"]
            if manifest.get("step") == step and manifest.get("epoch") == epoch and "restored" not in manifest:
                return Committed(int(entry["version"]), entry["metrics"], already)
    raise StoreError("LL-STORE-005", f"{table} has no commit of {step} at epoch {epoch}", where=str(table))


def _require_new(lake: Lake, table: TableName, mark: Mark) -> None:
    """Refuse to make a table again of new rows alone where the rows of its past are lost."""
    published = refs.good(lake).get(str(table))
    rebuilt = mark.manifest.get("full") and table.layer != "bronze"  # what has landed is not landed again
    if published is not None and not rebuilt:
        raise StoreError(
            "LL-STORE-005",
            f"{table} was published at version {published}, and its log is gone",
            where=str(table),
            fix="bring its folder back from a copy"
            + ("" if table.layer == "bronze" else f", or build it anew: lakeloom run {table} --full-refresh"),
        )


def _comments(frame: DataFrame) -> dict[str, str]:
    found = {field.name: field.metadata.get("comment") for field in frame.schema.fields}
    return {name: mask(comment) for name, comment in found.items() if comment and "`" not in name}


def _sign(session: SparkSession, mark: Mark) -> None:
    session.conf.set("spark.databricks.delta.write.txnAppId", mark.step)
    session.conf.set("spark.databricks.delta.write.txnVersion", str(mark.epoch))
    session.conf.set("spark.databricks.delta.commitInfo.userMetadata", _metadata(mark))


def _metadata(mark: Mark) -> str:
    return mask(json.dumps({"step": mark.step, "epoch": mark.epoch} | mark.manifest, sort_keys=True, default=str))


def _merge(
    session: SparkSession, path: str, frame: DataFrame, keys: tuple[str, ...], sequence: str | None, evolve: bool
) -> None:
    # By SQL: Delta's own Python classes need a plugin on a Spark Connect server.
    source = "lakeloom_rows"
    frame.createOrReplaceTempView(source)
    # The null-safe comparison: a key may have NULL parts, and NULL = NULL would insert the row again.
    same = " AND ".join(f"t.`{key}` <=> s.`{key}`" for key in keys)
    newer = f" AND s.`{sequence}` >= t.`{sequence}`" if sequence else ""
    session.sql(
        f"MERGE {'WITH SCHEMA EVOLUTION ' if evolve else ''}INTO delta.`{path}` t USING {source} s ON {same} "
        f"WHEN MATCHED{newer} THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    )
