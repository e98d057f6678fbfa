"""Database errors → coded errors, by SQL state and class; the driver's own text is never shown.

Drivers put users, hosts and even URLs into their messages, so ours name the state and the class.
"""

from __future__ import annotations

import re
from typing import Any

from lakeloom.core.errors import SourceError

_UNREACHABLE = re.compile(
    r"SQLNonTransientConnectionException|SQLTransient\w*Exception|SQLRecoverableException|CommunicationsException"
    r"|java\.net\.\w+Exception|java\.io\.\w*IOException|java\.io\.EOFException|DisconnectException"
)
_NO_DRIVER = re.compile(r"ClassNotFoundException|NoClassDefFoundError|No suitable driver")
_UNKNOWN = re.compile(r"UNRECOGNIZED_SQL_TYPE\] Unrecognized SQL type - name: (\w+)")
_CLASS = re.compile(r"\b(?:[a-z_]\w*\.)+([A-Z]\w*(?:Exception|Error))\b")
_LOST = ("08", "57P0", "XJ040", "XJ041", "XJ004", "XJ001", "3D000")
_NO_TABLE = ("42X05", "42Y07", "42P01", "42S02")


def translate(error: BaseException, where: str = "") -> SourceError:
    """Return the coded error for what a database, its driver or Spark's reader raised.

    Parameters
    ----------
    error : BaseException
        From Py4J or PySpark; its chain of Java causes is walked.
    where : str
        The source, for the message.

    Returns
    -------
    SourceError
        LL-SOURCE-005 no driver, -002 refused, -001 unreachable (transient), else -004.
    """
    links = _chain(error)
    text = "\n".join(told for _, _, told in links)
    state = next((state for _, state, _ in links if state), "")
    names = [name.rpartition(".")[2] for name, state, _ in links if state] or _CLASS.findall(text)
    name = names[-1] if names else type(error).__name__
    seen = f"({name}{', SQL state ' + state if state else ''})"
    if _NO_DRIVER.search(text):
        return SourceError(
            "LL-SOURCE-005",
            f"the database's driver is not on the class path {seen}",
            where=where,
            fix="put its jar into environment/jars, or name it under 'driver'",
        )
    if state.startswith("28") or (state.startswith("08") and "authentic" in text.lower()):
        return SourceError(
            "LL-SOURCE-002",
            f"the database refused the user or password {seen}",
            where=where,
            fix="mend the secret that 'user' and 'password' name",
        )
    if state.startswith(_LOST) or (not state and _UNREACHABLE.search(text)):
        return SourceError(
            "LL-SOURCE-001",
            f"the database can't be reached, or went away {seen}",
            where=where,
            fix="start it, or mend 'url'; the same batch is read again",
            transient=True,
        )
    unknown = _UNKNOWN.search(text)
    if unknown is not None:
        return SourceError(
            "LL-SOURCE-004",
            f"a column is of the type {unknown.group(1)}, which Spark does not read",
            where=where,
            fix="take a 'query' that casts it to text: CAST(column AS CHAR)",
        )
    missing = state in _NO_TABLE
    return SourceError(
        "LL-SOURCE-004",
        f"the table does not exist there {seen}" if missing else f"the database could not be read {seen}",
        where=where,
        fix="mend 'table'" if missing else "run the query in the database's own client",
    )


def _chain(error: BaseException) -> list[tuple[str, str, str]]:
    """Return (class, SQL state, text) of the error and its Java causes."""
    from py4j.java_gateway import is_instance_of
    from pyspark import SparkContext

    links = [(type(error).__name__, "", str(error))]
    java: Any = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    gateway = SparkContext._gateway
    for _ in range(20):
        if java is None or gateway is None:
            break
        state = java.getSQLState() if is_instance_of(gateway, java, "java.sql.SQLException") else None
        links.append((java.getClass().getName(), state or "", str(java.toString())))
        java = java.getCause()
    return links
