"""What a database says while it is written to → coded errors that name columns and never a value."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lakeloom.core.errors import LakeloomError, SinkError
from lakeloom.sources.jdbc.errors import chain, translate

# SQL states of a row that the database does not take, by their beginning.
_WHY = {
    "23502": "a value is NULL where none may be", "23503": "a foreign key has no row", "23505": "a unique key is taken",
    "23513": "a check does not hold", "23514": "a check does not hold", "22001": "a value is too long",
    "22003": "a number is out of range", "22P02": "a text is no value of the column's type",
    "23": "a constraint does not hold", "22": "a value does not fit its column",
}  # fmt: skip
_REFUSED = re.compile(
    r"SQLIntegrityConstraintViolationException|SQLDataException|DataTruncation|SQLITE_CONSTRAINT|SQLITE_MISMATCH"
)
# ON CONFLICT without a unique key: PostgreSQL's state, SQLite's words.
_NO_KEY = re.compile(r"ON CONFLICT clause does not match")


def translated(error: BaseException, where: str, table: str, keys: Sequence[str]) -> LakeloomError:
    """Return the coded error.

    Returns
    -------
    LakeloomError
        LL-SINK-004 for a row that is refused, LL-SINK-006 where the table lacks the key, LL-SOURCE-001 (transient),
        LL-SOURCE-002 or LL-SOURCE-005 as for a source, else LL-SINK-007.
    """
    links = chain(error, of_batch=True)
    states, text = [link.state for link in links if link.state], "\n".join(link.text for link in links)
    if "42P10" in states or _NO_KEY.search(text):
        return no_key(where, table, keys)
    found = translate(error, where)
    if found.code != "LL-SOURCE-004":
        return found
    state = next((state for state in states if state[:2] in ("22", "23")), "")
    if state or _REFUSED.search(text):
        return refused(where, table, keys, state)
    seen = found.message[found.message.rfind("(") :] if "(" in found.message else ""
    return SinkError(
        "LL-SINK-007", f"{table} could not be written {seen}".rstrip(), where=where,
        fix="see whether the user may create tables beside it and write to it; run the statement in its own client",
    )  # fmt: skip


def refused(where: str, table: str, keys: Sequence[str], state: str) -> SinkError:
    """Return the error for a row that a table does not take, for which SQL has a state."""
    why = _WHY.get(state) or _WHY.get(state[:2]) or _WHY["23"]
    named = f"its key columns are {', '.join(keys)}" if keys else "the export names no keys"
    shown = f" (SQL state {state})" if state else ""
    return SinkError(
        "LL-SINK-004", f"{table} refuses a row: {why}{shown}; {named}; nothing was written", where=where,
        fix="mend the rows by a rule of their table, or leave them out by where:; or mend the database's table",
    )  # fmt: skip


def too_long(where: str, table: str, keys: Sequence[str]) -> SinkError:
    """Return the error for a text that is longer than its column."""
    return refused(where, table, keys, "22001")


def no_key(where: str, table: str, keys: Sequence[str]) -> SinkError:
    """Return the error for a table without a unique key of the columns that rows are written by."""
    listed = ", ".join(keys)
    return SinkError(
        "LL-SINK-006", f"{table} has no primary or unique key of ({listed})", where=where,
        fix=f"add one there: CREATE UNIQUE INDEX … ON {table} ({listed})",
    )  # fmt: skip
