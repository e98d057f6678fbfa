"""The one function that writes a Delta table.

It writes with ``txnAppId`` = step and ``txnVersion`` = epoch, so that Delta itself drops a second
write of the same execution, and with the manifest in the commit's ``userMetadata``. Both are
session settings: give it the step's own session, and one table at most once in it.

Source: Delta's "idempotent table writes" (``spark.databricks.delta.write.txnAppId``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import StoreError, TableError
from lakeloom.core.names import TableName, quoted
from lakeloom.core.secrets import mask
from lakeloom.store import refs
from lakeloom.store.describe import comments_of, describe
from lakeloom.store.evolve import changes, evolve, features
from lakeloom.store.lake import Lake
from lakeloom.store.layout import Layout, made_as
from lakeloom.store.manner import DELETED, Manner
from lakeloom.store.merge import merge
from lakeloom.store.nested import aligned
from lakeloom.store.replace import replaced
from lakeloom.store.stage import Stage
from lakeloom.store.transaction import Transaction
from lakeloom.store.types import Node, names_in, nodes_of, sql_type

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Delta refuses to read or restore beyond these; history is to last (vacuum goes by inventory).
RETENTION = {
    "delta.logRetentionDuration": "interval 3650 days",
    "delta.deletedFileRetentionDuration": "interval 3650 days",
    "delta.checkpointInterval": "20",
}


PLAIN = Layout()


@dataclass(frozen=True)
class Mark:
    """Whose write it is: the step, its epoch, and the manifest that goes into the commit."""

    step: str
    epoch: int
    manifest: dict[str, Any]


@dataclass(frozen=True)
class Committed:
    """A commit: the table's version, Delta's own metrics, whether it stood there already, and its manifest."""

    version: int
    metrics: dict[str, Any]
    already: bool = False
    manifest: Mapping[str, Any] = field(default_factory=dict)


def commit(
    session: SparkSession,
    lake: Lake,
    table: TableName,
    frame: DataFrame,
    mark: Mark,
    how: Manner,
    *,
    properties: Mapping[str, str] | None = None,
    layout: Layout = PLAIN,
    stage: Stage | None = None,
) -> Committed:
    """Write `frame` into `table` exactly once for the mark's (step, epoch).

    Parameters
    ----------
    session : SparkSession
        The step's own session; `frame` belongs to it.
    frame : DataFrame
        The rows. For a merge, its keys are unique.
    properties : mapping, optional
        What the table says of itself: ``comment`` and names with a prefix. A new table is made with them;
        where they, or the comments of the frame's columns, have changed, that gets a commit of its own before
        the rows. So do columns, and fields inside them, that are added or widened.
    layout : Layout
        How a table that is made, or made anew, is laid out.
    stage : Stage, optional
        Where the rows lie already; `frame` is not read then.

    Raises
    ------
    TableError
        LL-TABLE-004 for columns that may not be added, LL-TABLE-006 for a merge without keys, LL-TABLE-009
        where `how.by` has too many values.
    StoreError
        LL-STORE-005 where the table was published and its log has gone.
    """
    if lake.epoch(table, mark.step) >= mark.epoch:
        return find(lake, table, mark.step, mark.epoch, already=True)
    if stage is not None:
        _sign(session, mark)
        stage.commit(mark.step, mark.epoch)
        return find(lake, table, mark.step, mark.epoch)
    if how.mode == "merge" and not how.keys:
        raise TableError("LL-TABLE-006", f"{table} is merged and declares no keys", where=str(table), fix="give keys:")
    path = lake.path(table)
    place, said = f"delta.`{path}`", {key: mask(value) for key, value in (properties or {}).items()}
    if not lake.exists(table):
        _require_new(lake, table, mark)
        rows = frame.where(f"NOT {DELETED}").drop(DELETED) if DELETED in frame.columns else frame
        _sign(session, mark)
        layout.create(rows, path, RETENTION | said | features((), names_in(nodes_of(rows))))
        made = find(lake, table, mark.step, mark.epoch)
        if layout.cluster_by:
            layout.settle(session, place, lake.delta(table))
        return made
    if properties is not None:
        # An overwrite brings its own columns with their comments.
        describe(session, lake, table, said, comments_of(frame) if how.mode != "overwrite" else None)
    if how.mode == "overwrite":
        opened = lake.delta(table)
        layout.lift(session, place, opened)
        evolve(session, place, opened, (), names_in(nodes_of(frame)))
        _sign(session, mark)
        layout.overwrite(frame, path)
        made = find(lake, table, mark.step, mark.epoch)
        layout.settle(session, place, lake.delta(table))
        return made
    frame = aligned(frame, _ready(session, lake, table, frame, how))
    if how.mode == "merge":
        _sign(session, mark)
        merge(session, lake, table, frame, how, (mark.step, mark.epoch))
    else:
        condition = replaced(frame, how.by, str(table)) if how.mode == "replace" else ""
        _sign(session, mark)
        writer = frame.write.format("delta").mode("overwrite" if condition else "append")
        (writer.option("replaceWhere", condition) if condition else writer).save(path)
    return find(lake, table, mark.step, mark.epoch)


def _ready(session: SparkSession, lake: Lake, table: TableName, frame: DataFrame, how: Manner) -> dict[str, Node]:
    """Change the table's columns as the rows need it; return what they are then."""
    opened = lake.delta(table)
    there = nodes_of(opened)
    given = {name: kind for name, kind in nodes_of(frame).items() if name != DELETED}
    needed = changes(there, given, allowed=how.evolve, renamed=how.renamed, dropped=how.dropped, where=str(table))
    if not needed:
        return there
    evolve(session, f"delta.`{lake.path(table)}`", opened, needed, names_in(given))
    return nodes_of(lake.delta(table))


def begin(
    session: SparkSession, lake: Lake, table: TableName, frame: DataFrame, mark: Mark, how: Manner,
    properties: Mapping[str, str],
) -> tuple[Stage, DataFrame] | None:  # fmt: skip
    """Make a table ready for rows like `frame` that are appended as files, and return their stage.

    What a table needs before its rows gets commits of its own, as by `commit`; one that does not exist is made by the
    stage's.

    Returns
    -------
    (Stage, DataFrame) or None
        The stage, and the rows of `frame` as it takes them; None where the table takes no files that Spark has not
        written, or has this execution's already: `commit` knows what to do then.

    Raises
    ------
    TableError
        LL-TABLE-004 for columns that may not be added.
    StoreError
        LL-STORE-005 where the table was published and its log has gone.
    """
    from pyspark.sql import functions as F

    if not Transaction.can_begin(session) or lake.epoch(table, mark.step) >= mark.epoch:
        return None
    said, new = {key: mask(value) for key, value in properties.items()}, None
    if lake.exists(table):
        describe(session, lake, table, said, comments_of(frame))
        there = _ready(session, lake, table, frame, how)
        given = {name.lower(): name for name in frame.columns}
        frame = aligned(frame, there).select(
            *(
                (
                    F.col(quoted(given[low])) if (low := name.lower()) in given else F.lit(None).cast(sql_type(node))
                ).alias(name)
                for name, node in there.items()
            )
        )
    else:
        _require_new(lake, table, mark)
        if features((), names_in(nodes_of(frame))):
            return None
        new = made_as(frame, RETENTION | said)
    stage = Stage.begin(
        session, lake, table, frame, how, mark.step, mark.epoch, properties=properties, layout=PLAIN, new=new
    )
    return None if stage is None or stage.indexed is None else (stage, frame)


def restore(session: SparkSession, lake: Lake, table: TableName, version: int | None, mark: Mark) -> int:
    """Bring `table` back to `version`, or to no rows where that is None, by a new commit; return the new version."""
    session.conf.unset("spark.databricks.delta.write.txnAppId")
    session.conf.unset("spark.databricks.delta.write.txnVersion")
    back = Mark(mark.step, mark.epoch, mark.manifest | {"restored": version})
    session.conf.set("spark.databricks.delta.commitInfo.userMetadata", metadata(back))
    place = f"delta.`{lake.path(table)}`"
    if version is None:
        session.sql(f"DELETE FROM {place}")  # noqa: S608 - our own path
    else:
        session.sql(f"RESTORE TABLE {place} TO VERSION AS OF {version}")
    return lake.version(table)


def find(lake: Lake, table: TableName, step: str, epoch: int, *, already: bool = False) -> Committed:
    """Return the commit that `step` made at `epoch`, by the manifests in the table's history."""
    for limit in (3, 50, None):
        for entry in lake.history(table, limit):
            manifest = entry["manifest"]
            if manifest.get("step") == step and manifest.get("epoch") == epoch and "restored" not in manifest:
                return Committed(int(entry["version"]), entry["metrics"], already, manifest)
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


def _sign(session: SparkSession, mark: Mark) -> None:
    session.conf.set("spark.databricks.delta.write.txnAppId", mark.step)
    session.conf.set("spark.databricks.delta.write.txnVersion", str(mark.epoch))
    session.conf.set("spark.databricks.delta.commitInfo.userMetadata", metadata(mark))


def metadata(mark: Mark) -> str:
    """Return what a commit says of itself: whose it is, and the manifest."""
    return mask(json.dumps({"step": mark.step, "epoch": mark.epoch} | mark.manifest, sort_keys=True, default=str))
