"""What a source's table could not read, replaced by a corrected file: landed in the place of what was broken.

The corrected file is in the source's own format: of a record that could not be read it holds that one
record, of a file all of it. A copy is kept under ``fixes/`` of the storage root, so that the replay
reads the very bytes that were given. Its rows take the place in bronze that the broken ones would
have had (landing, file, record; ``_file`` is kept), so that a row that came later stays the newer one.
Nothing can collide: of what could not be read nothing stands there. Readers of new rows find them by
the run of the replay.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import FixError
from lakeloom.core.steps import Facts, Step
from lakeloom.flow.choice import Choice
from lakeloom.flow.context import Context
from lakeloom.flow.replay import chosen_of, pending
from lakeloom.flow.write import Part, write
from lakeloom.session.spark import step_session
from lakeloom.sources.files_config import FilesConfig
from lakeloom.sources.inspection import inspect
from lakeloom.sources.landing import Landing
from lakeloom.sources.ledger import FileEntry
from lakeloom.sources.packed import UTF8
from lakeloom.sources.records import SPLIT_BYTES
from lakeloom.sources.whole import landing
from lakeloom.store.intents import Intent
from lakeloom.store.manner import Manner
from lakeloom.tables import bronze

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from lakeloom.flow.desk import Desk
    from lakeloom.flow.mend import Change, Fixed


@dataclass(frozen=True)
class _Place:
    """A corrected file and the place of what it replaces; `record` is None for a whole file."""

    copy: str
    epoch: int
    file_no: int
    record: int | None
    file: str


def fix_file(desk: Desk, choice: Choice, change: Change) -> Fixed:
    """Keep a corrected file in place of one entry of a source's table.

    Raises
    ------
    FixError
        LL-FIX-001 where not exactly one entry is meant, LL-FIX-002 for new values of columns that were never read,
        LL-FIX-003 where the file can't be read either, LL-FIX-004 for a source that lands no files.
    """
    from pyspark.sql import functions as F

    from lakeloom.flow.mend import Fixed

    step, where = desk.step, desk.step.name
    config = _config(desk.context, step)
    if change.file is None:
        raise FixError(
            "LL-FIX-002", "what could not be read has no columns to set", where=where,
            fix="give the corrected record or file in the source's format: --file",
        )  # fmt: skip
    _, chosen = chosen_of(desk.context, desk.session, step, desk.reads, desk.version, choice)
    found = chosen.select("raw", "position").limit(2).collect()
    if len(found) != 1:
        told = "no open row is meant" if not found else "several rows are meant, and a corrected file replaces one"
        raise FixError("LL-FIX-001", told, where=where, fix=f"name one by --id; see 'lakeloom quarantine {where}'")
    copy = _kept(desk.context, step, change.file)
    entry = _inspected(str(copy), config, change.file.name, desk.context.project.home)
    home = desk.context.project.home
    known = _known(desk.context, desk.session, step)
    made = landing(desk.session, config.reading_at(home), config.columns, [entry], SPLIT_BYTES, home, known)
    passing, breaking = _outlook(made)
    if found[0]["raw"] is not None and passing + sum(breaking.values()) != 1:
        raise FixError(
            "LL-FIX-003", f"it holds {passing + sum(breaking.values()):,} records, and replaces a single one",
            where=change.file.name, fix="keep the one record (and the line of names)",
        )  # fmt: skip
    told = json.dumps({"file": copy.name, "name": change.file.name})
    fixed = {"state": F.lit("fixed"), "fix": F.lit(told), "fix_on": F.lit("file")} | desk.now(change.why)
    desk.keep(chosen.withColumns(fixed), "fix")
    return Fixed(where, "file", 1, passing, breaking)


def reland(context: Context, step: Step, intent: Intent) -> Facts:
    """Land the corrected files of the chosen entries in the place of what could not be read."""
    config = _config(context, step)
    assert intent.side is not None
    with step_session(context.engine.spark()) as session:
        entries, chosen = chosen_of(context, session, step, {}, intent.side, Choice.of(intent.replay))
        chosen = pending(entries, chosen, step)
        places = [_place(context, step, row) for row in chosen.orderBy("position").collect()]
        home = context.project.home
        files = [_inspected(place.copy, config, Path(place.copy).name, home) for place in places]
        known = _known(context, session, step)
        made = landing(session, config.reading_at(home), config.columns, files, SPLIT_BYTES, home, known)
        mark = bronze.Stamp(intent.epoch, intent.clock, intent.run)
        good = bronze.stamp(_placed(session, made.good, places), step.spec.name, mark)
        good = good.withColumn("_position", good["_place"]).drop("_place")
        broken = _rejected(session, step, made.broken, places, mark, chosen)
        part = Part(step.writes[0], good, Manner("append", evolve="add"))
        facts = write(context, session, intent, [part], broken, chosen)
    facts.pop("already")
    return facts | {"rows_in": facts["rows_out"] + facts["quarantined"], "batch": {}}


def _known(context: Context, session: SparkSession, step: Step) -> DataFrame | None:
    """Return the table that the rows go to, whose types are kept; None before there is one."""
    table = step.writes[0]
    return context.lake.frame(session, table) if context.lake.exists(table) else None


def _config(context: Context, step: Step) -> FilesConfig:
    _, config = context.source(step.spec)
    if not isinstance(config, FilesConfig):
        raise FixError(
            "LL-FIX-004", f"{step.spec.kind} lands no files that could be corrected", where=step.name,
            fix="mend the rows at the source",
        )  # fmt: skip
    return config


def _kept(context: Context, step: Step, file: Path) -> Path:
    """Return the copy of a corrected file, named by its content, whole or not at all."""
    folder = context.project.work / "fixes" / step.name
    try:
        with file.open("rb") as stream:
            name = hashlib.file_digest(stream, "sha256").hexdigest()[:32] + "".join(file.suffixes[-2:])
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{name}.{os.getpid()}"
        shutil.copyfile(file, draft)
        return draft.replace(folder / name)
    except OSError as cause:
        raise FixError(
            "LL-FIX-003", f"it can't be read or kept ({type(cause).__name__})", where=file.name, fix="name a file"
        ) from cause


def _inspected(copy: str, config: FilesConfig, name: str, home: Path = Path()) -> FileEntry:
    if not Path(copy).is_file():
        raise FixError("LL-FIX-003", "the corrected file is gone", where=name, fix="fix the row again")
    # What a person corrects, an editor has written.
    entry = inspect(copy, copy, replace(config.reading_at(home), encoding=UTF8))
    if entry is None or entry.problem is not None:
        told = entry.problem if entry and entry.problem else "it changes while it is read"
        raise FixError("LL-FIX-003", told, where=name, fix=f"give a sound {config.format} file")
    if entry.packed:
        raise FixError(
            "LL-FIX-003", "it is packed, and may hold several files", where=name,
            fix="give one file, unpacked; or put a sound archive where the source lands it from",
        )  # fmt: skip
    return entry


def _outlook(made: Landing) -> tuple[int, dict[str, int]]:
    from pyspark.sql import functions as F

    breaking: dict[str, int] = {}
    if made.broken is not None:
        reasons = made.broken.select(F.explode("reasons").alias("reason")).groupBy("reason").count()
        breaking = {row["reason"]: row["count"] for row in reasons.collect()}
    return made.good.count(), breaking


def _place(context: Context, step: Step, row: Any) -> _Place:
    at, name = row["position"], Path(json.loads(row["fix"])["file"]).name
    copy = str(context.project.work / "fixes" / step.name / name)
    return _Place(copy, at["epoch"], at["file"], None if row["raw"] is None else at["record"], row["file"])


def _placed(session: SparkSession, rows: DataFrame, places: list[_Place]) -> DataFrame:
    """Return rows of corrected files with ``_place`` and ``_file`` of what they replace."""
    from pyspark.sql import functions as F

    data = [(index, each.epoch, each.file_no, each.record, each.file) for index, each in enumerate(places)]
    told = session.createDataFrame(data, "_no int, _epoch bigint, _in int, _at bigint, _original string")
    joined = rows.join(F.broadcast(told), F.col("_file_no") == F.col("_no"))
    place = F.struct(
        F.col("_epoch").alias("epoch"),
        F.col("_in").alias("file"),
        F.coalesce("_at", F.col("_record").cast("bigint")).alias("record"),
    )
    named = {"_place": place.cast(bronze.POSITION), "_file": F.col("_original")}
    return joined.withColumns(named).select(*rows.columns, "_place")


def _rejected(
    session: SparkSession,
    step: Step,
    broken: DataFrame | None,
    places: list[_Place],
    mark: bronze.Stamp,
    like: DataFrame,
) -> DataFrame:
    """Return the entries of what a corrected file holds that can't be read either; none in the form of `like`."""
    from pyspark.sql import functions as F

    if broken is None:
        return like.limit(0)
    rows = _placed(session, broken, places)
    placed = rows.withColumns({"_file_no": F.col("_place.file"), "_record": F.col("_place.record")})
    return bronze.rejected(placed, step.name, mark, F.col("_place.epoch"))
