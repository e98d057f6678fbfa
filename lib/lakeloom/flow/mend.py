"""What people decide about quarantined rows: a fix, with what would come of it; or that they are given up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lakeloom.cleansing.json_texts import text_at
from lakeloom.core.errors import FixError, LakeloomError
from lakeloom.core.steps import Step
from lakeloom.flow import corrected, rejudge
from lakeloom.flow.background import background
from lakeloom.flow.background import judged as rules_of
from lakeloom.flow.choice import Choice
from lakeloom.flow.desk import Desk, opened
from lakeloom.flow.explain import explained
from lakeloom.flow.replay import chosen_of, raw_is_known, rows_of, together
from lakeloom.flow.sets import values_of
from lakeloom.project.graph import is_stream
from lakeloom.project.spec import Project
from lakeloom.quality.rows import judge
from lakeloom.store.manner import DELETED
from lakeloom.tables.fixes import laid_on, misfits
from lakeloom.tables.streaming import LATE, TIMELESS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

On = Literal["raw", "row"]


@dataclass(frozen=True)
class Change:
    """What is to change in the chosen rows.

    Attributes
    ----------
    sets : tuple of str
        ``column = expression`` over the row as it came (or, on ``row``, as the transform made it).
    file : Path, optional
        A corrected file, instead.
    on : {'raw', 'row'}, optional
        Where the fix is laid over: the bronze row before the transform, which is taken where its place is known,
        or the row that the transform made.
    why : str, optional
    """

    sets: tuple[str, ...] = ()
    file: Path | None = None
    on: On | None = None
    why: str | None = None


@dataclass(frozen=True)
class Fixed:
    """A fix that is kept, and what would come of it.

    Attributes
    ----------
    table : str
    on : {'raw', 'row', 'file'}
    rows : int
        How many entries were fixed.
    passing : int
        How many rows would pass the rules now.
    breaking : dict
        Rule → how many rows would still break it.
    """

    table: str
    on: str
    rows: int
    passing: int
    breaking: dict[str, int]


@dataclass(frozen=True)
class Dropped:
    """Entries that were given up."""

    table: str
    rows: int


def fix(project: Project, table: str, choice: Choice, change: Change) -> Fixed:
    """Keep a fix of the chosen rows for their replay, and for whenever the table is built anew.

    Raises
    ------
    FixError
        LL-FIX-001 to LL-FIX-005.
    TableError
        LL-TABLE-003, LL-TABLE-007 for an expression that does not fit the row.
    RuleError
        LL-RULE-001 where a rule at level ``fail`` would stop the replay; nothing is kept then.
    """
    choice.check(table)
    with opened(project, table) as desk:
        try:
            return _fix(desk, choice, change)
        except LakeloomError:
            raise
        except Exception as cause:  # Spark's, of an expression or the transform: its text may quote a value
            raise explained(cause, table) from cause


def drop(project: Project, table: str, choice: Choice, why: str) -> Dropped:
    """Give the chosen rows up: they stay in quarantine, and are no longer open.

    Raises
    ------
    FixError
        LL-FIX-001 where no open row is the one, LL-FIX-002 for a malformed condition or without a reason.
    """
    from pyspark.sql import functions as F

    choice.check(table)
    if not why.strip():
        raise FixError("LL-FIX-002", "no reason is given", where=table, fix="say why the rows are given up")
    with opened(project, table) as desk:
        entries, chosen = chosen_of(desk.context, desk.session, desk.step, desk.reads, desk.version, choice)
        chosen = together(entries, chosen)
        rows = _counted(chosen, desk)
        desk.keep(chosen.withColumns({"state": F.lit("dropped")} | desk.now(why)), "drop")
        return Dropped(desk.step.name, rows)


def _fix(desk: Desk, choice: Choice, change: Change) -> Fixed:
    from pyspark.sql import functions as F

    if bool(change.sets) == (change.file is not None):
        raise FixError("LL-FIX-002", "either new values or a corrected file is wanted", fix="give --set, or --file")
    if desk.step.kind == "land":
        from lakeloom.flow.reland import fix_file

        return fix_file(desk, choice, change)

    entries, chosen = chosen_of(desk.context, desk.session, desk.step, desk.reads, desk.version, choice)
    _counted(chosen, desk)
    on = _where(desk, chosen, change.on)
    chosen = together(entries, chosen) if on == "raw" else chosen
    rows = rows_of(desk.context, desk.session, desk.step, desk.reads, chosen, on)
    new = values_of(rows, change.sets, desk.step.name) if change.file is None else _of_file(desk, rows, change.file)
    both = (F.col("id") == F.col("_id")) & F.col("row").eqNullSafe(F.col("_row"))
    joined = chosen.join(new.select("_id", "_row", "_new"), both)
    fixed = {"state": F.lit("fixed"), "fix": laid_on("fix", "_new"), "fix_on": F.lit(on)} | desk.now(change.why)
    changed = joined.withColumns(fixed).select(*chosen.columns).persist()
    try:
        count = _counted(changed, desk)
        passing, breaking = _outlook(desk, entries, changed)
        desk.keep(changed, "fix")
    finally:
        changed.unpersist()
    return Fixed(desk.step.name, on, count, passing, breaking)


def _counted(chosen: DataFrame, desk: Desk) -> int:
    count = chosen.count()
    if not count:
        raise FixError(
            "LL-FIX-001", f"no open row of {desk.step.name} is meant", where=desk.step.name,
            fix=f"see 'lakeloom quarantine {desk.step.name}'",
        )  # fmt: skip
    return count


def _where(desk: Desk, chosen: DataFrame, wanted: On | None) -> On:
    """Return where the fix is laid over; raises LL-FIX-004 where it can't be there."""
    step, known = desk.step, raw_is_known(desk.step, chosen)
    if is_stream(step) and (wanted == "row" or not known):
        _refuse_kept_out(step, chosen)
    earlier = {row["fix_on"] for row in chosen.where("fix IS NOT NULL").select("fix_on").distinct().collect()}
    shared = known and step.spec.write.mode == "append" and _siblings(desk, chosen)
    on: On = wanted or ("raw" if known and not shared and earlier <= {"raw"} else "row")
    told = ""
    if earlier - {on}:
        told = f"some rows were fixed before, on {'row' if on == 'raw' else 'raw'}"
    elif on == "raw" and not known:
        told = "the place in bronze of some rows is not known"
    elif on == "raw" and shared:
        told = "other rows that were made of the same bronze rows stand in the table, and can't be taken back"
    if told:
        other = "row" if on == "raw" else "raw"
        raise FixError("LL-FIX-004", told, where=step.name, fix=f"fix them on the {other}: --on {other}")
    return on


def _refuse_kept_out(step: Step, chosen: DataFrame) -> None:
    """Raise LL-FIX-004 for rows that a stream did not take: they have a row in bronze and none of the table yet."""
    from pyspark.sql import functions as F

    kinds = F.array(F.lit(LATE), F.lit(TIMELESS))
    if not chosen.where(F.arrays_overlap("reasons", kinds)).isEmpty():
        one = rejudge.bronze_of(step) is not None
        raise FixError(
            "LL-FIX-004", "rows that a stream did not take are fixed as they stand in bronze, by themselves"
            if one else "rows that a stream of several inputs did not take can't be fixed", where=step.name,
            fix=f"choose them by --rule '{LATE}' or --rule '{TIMELESS}', without --on row"
            if one else f"'lakeloom run {step.name} --full-refresh' takes late ones as they are",
        )  # fmt: skip


def _siblings(desk: Desk, chosen: DataFrame) -> bool:
    table = desk.context.lake.frame(desk.session, desk.step.writes[0])
    return "_position" in table.columns and not rejudge.at_places(table, chosen).isEmpty()


def _of_file(desk: Desk, rows: DataFrame, file: Path) -> DataFrame:
    """Return the new values that a corrected file gives for rows, with ``_id``, ``_row`` and ``_new``."""
    from pyspark.sql import functions as F

    kinds = {name: kind for name, kind in rows.dtypes if not name.startswith("_")}
    given = corrected.read(file, desk.step.spec.keys, list(kinds))
    data = [(list(name), values) for name, values in given.rows]
    table = desk.session.createDataFrame(data, "_name array<string>, _new map<string,string>")
    if given.keys:
        both = [_key(desk.step, key, F.col("_name")[at]) for at, key in enumerate(given.keys)]
        table = table.withColumn("_name", F.array(*(named for named, _ in both)))
        name = F.array(*(shown for _, shown in both))
    else:
        name = F.array("_id")
    joined = table.join(rows.withColumn("_named", name), F.col("_name") == F.col("_named"), "left")
    wrong = [F.count_if(each) for each in misfits(F.col("_new"), kinds)]
    found = joined.groupBy("_name").agg(F.count("_id").alias("n"), F.countDistinct("_id").alias("m"))
    lost, many = found.agg(F.count_if(F.expr("n = 0")), F.count_if(F.expr("m > 1"))).collect()[0]
    if lost or many:
        told = f"{lost:,} of its rows are no open ones" if lost else f"{many:,} of its rows name several open ones"
        column = corrected.id_column(desk.step.spec.keys, list(kinds))
        raise FixError("LL-FIX-001", told, where=file.name, fix=f"name them in {column} as quarantine shows their ids")
    counts = joined.agg(*wrong).collect()[0] if wrong else ()
    bad = [name for name, count in zip(kinds, counts, strict=True) if count]
    if bad:
        shown = ", ".join(f"{name} ({kinds[name]})" for name in bad)
        raise FixError("LL-FIX-003", f"values are not of the type of {shown}", where=file.name, fix="mend them")
    return joined


def _key(step: Step, key: str, named: Column) -> tuple[Column, Column]:
    """Return a part of a row's name as a file gives it and as quarantine shows it; 1.1 and 1.10 are one decimal."""
    from pyspark.sql import functions as F

    both = named, text_at(F.col("_row"), f"$['{key}']")
    column = (step.spec.columns or {}).get(key)
    if column is None or not column.type.startswith("decimal"):
        return both
    one, other = (F.regexp_replace(each, r"^(-?\d+)(?:\.0*|(\.\d*?)0+)$", "$1$2") for each in both)
    return one, other


def _outlook(desk: Desk, entries: DataFrame, changed: DataFrame) -> tuple[int, dict[str, int]]:
    """Return how many of the fixed rows would pass, and how many would break which rule."""
    step = desk.step
    keys = changed.selectExpr("id AS _of", "row AS _as")
    others = entries.join(keys, (entries["id"] == keys["_of"]) & entries["row"].eqNullSafe(keys["_as"]), "left_anti")
    after = others.unionByName(changed)
    if is_stream(step) and not changed.where("fix_on = 'raw'").isEmpty():
        return rejudge.in_time(desk.context, desk.session, step, desk.reads, after, changed)
    frame, _ = rejudge.remade(desk.context, desk.session, step, desk.reads, after, changed)
    judged = judge(
        frame, rules_of(desk.context, step), where=step.name, exempt=DELETED, always=step.spec.never_null,
        background=background(desk.context, desk.session, step, desk.last),
    )  # fmt: skip
    try:
        rows = judged.rows if judged.rows >= 0 else judged.frame.count()
        breaking = {each.name: each.broken for each in judged.results if each.broken and each.level == "quarantine"}
        return rows - judged.broken_rows, breaking
    finally:
        judged.release()
