"""What executions recorded of rules and of sources that disagree, over time; from the intents, without a JVM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lakeloom.api.values import records
from lakeloom.core.errors import ConfigError, StoreError
from lakeloom.core.kinds import nearest
from lakeloom.objects.path import Location
from lakeloom.project.personal import guarded
from lakeloom.quality.personal import tag_of
from lakeloom.quality.timeline import Execution, RuleOverTime, over_time
from lakeloom.store.intents import Intents, Record
from lakeloom.tables.resolve import LOSERS

if TYPE_CHECKING:
    import pyarrow as pa

    from lakeloom.project.spec import Project

# So many executions are looked back at unless more are asked for.
EXECUTIONS = 60


def rules(root: Location, table: str | None = None, limit: int = EXECUTIONS) -> list[RuleOverTime]:
    """Return the rules of a table, or of all tables, with what came of them in the last `limit` executions.

    Raises
    ------
    StoreError
        LL-STORE-001 where the table has no execution.
    """
    intents = Intents(root)
    known = [step for step in intents.steps() if "." in step]
    if table is not None and table not in known:
        near = nearest(table, known)
        raise StoreError(
            "LL-STORE-001",
            f"{table} has no execution",
            fix=f"use '{near}'" if near else "run it, or see 'lakeloom runs'",
        )
    found = []
    for step in [table] if table is not None else known:
        found += over_time(step, (_execution(record) for record in intents.newest(step, limit)))
    return found


def _execution(record: Record) -> Execution:
    results: Sequence[dict[str, Any]] = (record.facts or record.failed or {}).get("rules", ())
    return Execution(record.intent.run, record.intent.clock, record.intent.epoch, results)


@dataclass(frozen=True)
class Conflicts:
    """How often which source won against which, of a table whose inputs say different things.

    Attributes
    ----------
    now : tuple of dict
        Of the newest execution: column, winner (None where an expression decided otherwise), loser, rows.
    runs : tuple of dict
        Each execution, oldest first: run, at, epoch, rows, and ``by`` as `now`.
    losers : str
        The table that keeps what was not taken.
    sample : tuple of dict
        Some of its rows; columns that are tagged as personal or sensitive are left out.
    hidden : tuple of str
        These columns.
    """

    table: str
    now: tuple[dict[str, Any], ...]
    runs: tuple[dict[str, Any], ...]
    losers: str
    sample: tuple[dict[str, Any], ...] = ()
    hidden: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``conflicts --json``."""
        return {
            "table": self.table, "now": list(self.now), "runs": list(self.runs), "losers": self.losers,
            "sample": list(self.sample), "hidden": list(self.hidden),
        }  # fmt: skip


def conflicts(root: Location, project: Project, table: str, limit: int = EXECUTIONS) -> Conflicts:
    """Return how often who won, without a sample.

    Raises
    ------
    ConfigError
        LL-CONF-010 where the table is not declared, LL-CONF-005 where it keeps no losers.
    """
    spec = project.tables.get(table)
    if spec is None:
        near = nearest(table, sorted(project.tables))
        raise ConfigError(
            "LL-CONF-010", f"{table} is not a declared table", fix=f"use '{near}'" if near else "see lakeloom tables"
        )
    if spec.resolve is None or spec.resolve.losers is None:
        kept = [name for name, each in project.tables.items() if each.resolve and each.resolve.losers]
        raise ConfigError(
            "LL-CONF-005",
            f"{table} does not keep what its sources disagree on; tables that do: {', '.join(kept) or 'none'}",
            fix="name a table with 'resolve: {losers: …}'",
        )
    runs = []
    for record in Intents(root).newest(table, limit):
        if record.facts is not None and "conflicts" in record.facts:
            by = list(record.facts["conflicts"])
            total = sum(each["rows"] for each in by)
            intent = record.intent
            runs.append({"run": intent.run, "at": intent.clock, "epoch": intent.epoch, "rows": total, "by": by})
    now = tuple(runs[-1]["by"]) if runs else ()
    return Conflicts(table, now, tuple(runs), spec.resolve.losers)


def with_sample(found: Conflicts, project: Project, ask: Callable[[str], pa.Table], limit: int) -> Conflicts:
    """Return the conflicts with some of the values that were not taken, personal ones left out.

    Parameters
    ----------
    ask : callable
        Answers a query over the tables.
    """
    spec = project.tables[found.table]
    hidden = guarded(project)
    keys = [name for name in spec.keys if name not in hidden and tag_of(name) is None]
    values = [name for name in spec.columns if name not in spec.keys]
    left_out = [name for name in values if name in hidden or tag_of(name) is not None]
    shown = [name for name in values if name not in left_out]
    found = replace(found, hidden=(*(name for name in spec.keys if name not in keys), *left_out))
    if not found.runs or not limit or not shown:
        return found
    columns = ", ".join(_name(name) for name in (*keys, *LOSERS))
    among = ", ".join("'" + name.replace("'", "''") + "'" for name in shown)
    rows = ask(f'SELECT {columns} FROM {found.losers} WHERE "column" IN ({among}) LIMIT {limit}')  # noqa: S608 - quoted
    return replace(found, sample=tuple(records(rows)))


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
