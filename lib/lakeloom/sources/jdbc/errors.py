"""Database errors → coded errors, by SQL state and class; the driver's own text is never shown.

Drivers put users, hosts and even URLs into their messages, so ours name the state and the class.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from lakeloom.core.errors import SourceError

_UNREACHABLE = re.compile(
    r"SQLNonTransientConnectionException|SQLTransient\w*Exception|SQLRecoverableException|CommunicationsException"
    r"|java\.net\.\w+Exception|java\.io\.\w*IOException|java\.io\.EOFException|DisconnectException"
)
_NO_DRIVER = re.compile(r"ClassNotFoundException|NoClassDefFoundError|No suitable driver")
_UNKNOWN = re.compile(r"UNRECOGNIZED_SQL_TYPE\] Unrecognized SQL type - name: (\w+)")
_CLASS = re.compile(r"\b(?:[a-z_]\w*\.)+([A-Z]\w*(?:Exception|Error))\b")
_LOST = ("08", "57P0", "XJ040", "XJ041", "XJ004", "XJ001", "3D000")
_NO_COLUMN = ("42703", "42S22", "42X04")
_FULL, _FULL_NUMBERS = ("53",), (1040, 1203, 1226)  # the latter of MySQL and MariaDB
_TLS = re.compile(
    r"javax\.net\.ssl\.SSL\w*Exception|java\.security\.cert\.\w*Exception|does not support SSL|SSL error"
    r"|not verified by hostnameverifier|ssl not enabled|not supported by server|(?i:certificate)"
)
_DATABASES = re.compile(r"\b(?:[a-z_]\w*\.)+\w*SQL\w*Exception\b")
_NO_SNAPSHOT = ("22023", "42704")
_NO_TABLE = ("42X05", "42Y07", "42P01", "42S02")


class Link(NamedTuple):
    """One of the causes of an error: class, SQL state and vendor's number of a database's, and its text."""

    name: str
    state: str
    number: int
    text: str
    raised: bool  # by a database or its driver


def is_databases(error: BaseException) -> bool:
    """Return whether a database or its driver raised it, and not Spark or what it writes to."""
    links = chain(error)
    # A client of Spark Connect has the server's words and no Java objects.
    return any(link.raised for link in links) or (len(links) == 1 and bool(_DATABASES.search(links[0].text)))


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
        LL-SOURCE-005 no driver, -002 refused, -008 not verified, -001 unreachable (transient), else -004.
    """
    links = chain(error)
    text = "\n".join(link.text for link in links)
    state = next((link.state for link in links if link.state), "")
    names = [link.name.rpartition(".")[2] for link in links if link.state] or _CLASS.findall(text)
    name = names[-1] if names else type(error).__name__
    seen = f"({name}{', SQL state ' + state if state else ''})"
    if _NO_DRIVER.search(text):
        return SourceError(
            "LL-SOURCE-005",
            f"the database's driver is not on the class path {seen}",
            where=where,
            fix="put its jar into environment/jars, or name it under 'driver'",
        )
    if _TLS.search(text):
        return SourceError(
            "LL-SOURCE-012",
            f"the database's server can't be verified, or offers no encryption {seen}",
            where=where,
            fix="name the authority of its certificate by 'tls: {ca: file.pem}'; 'tls: off' goes without",
        )
    if state.startswith("28") or (state.startswith("08") and "authentic" in text.lower()):
        return SourceError(
            "LL-SOURCE-002",
            f"the database refused the user or password {seen}",
            where=where,
            fix="mend the secret that 'user' and 'password' name",
        )
    if state.startswith(_FULL) or any(link.number in _FULL_NUMBERS and link.raised for link in links):
        return SourceError(
            "LL-SOURCE-001",
            f"the database has no connection left for us {seen}",
            where=where,
            fix="limit ours by 'connections', or let it have more; the same batch is read again",
            transient=True,
        )
    if state.startswith(_LOST) or (not state and _UNREACHABLE.search(text)):
        return SourceError(
            "LL-SOURCE-001",
            f"the database can't be reached, or went away {seen}",
            where=where,
            fix="start it, or mend 'url'; the same batch is read again",
            transient=True,
        )
    if state in _NO_SNAPSHOT and "snapshot" in text.lower():
        return SourceError(
            "LL-SOURCE-001",
            f"the state of the database under which it was read is gone {seen}",
            where=where,
            fix="the same batch is read again under a new one",
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
    if state in _NO_COLUMN:
        return SourceError(
            "LL-SOURCE-004",
            f"a column is not there, or not any more {seen}",
            where=where,
            fix="mend 'columns', 'where' or 'query'; where the table was altered, run again",
        )
    if state == "22003":
        return SourceError(
            "LL-SOURCE-004",
            f"a value, such as NaN, does not fit into Spark's type for its column {seen}",
            where=where,
            fix="take a 'query' that casts the column to text",
        )
    missing = state in _NO_TABLE
    return SourceError(
        "LL-SOURCE-004",
        f"the table does not exist there {seen}" if missing else f"the database could not be read {seen}",
        where=where,
        fix="mend 'table'" if missing else "run the query in the database's own client",
    )


def chain(error: BaseException, *, of_batch: bool = False) -> list[Link]:
    """Return the error and its Java causes.

    Parameters
    ----------
    of_batch : bool
        Whether statements were sent together: then what the database says next of them comes before a cause.
    """
    from py4j.java_gateway import is_instance_of
    from pyspark import SparkContext

    links = [Link(type(error).__name__, "", 0, str(error), False)]
    java: Any = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    gateway = SparkContext._gateway
    for _ in range(20):
        if java is None or gateway is None:
            break
        raised = is_instance_of(gateway, java, "java.sql.SQLException")
        state, number = (java.getSQLState(), java.getErrorCode()) if raised else (None, 0)
        links.append(Link(java.getClass().getName(), state or "", int(number), str(java.toString()), raised))
        following = java.getNextException() if raised and of_batch else None
        java = java.getCause() if following is None else following
    return links
