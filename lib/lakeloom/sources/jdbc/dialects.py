"""What is particular to a database, by the product in its JDBC URL: quotes, and how its driver is to be asked.

Source: the databases' and drivers' manuals; the default is standard SQL's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Product in the URL → what stands before and after a name; a closing one inside the name is doubled.
_QUOTES = {
    "mysql": ("`", "`"),
    "mariadb": ("`", "`"),
    "databricks": ("`", "`"),
    "sqlserver": ("[", "]"),
}
_STANDARD = ('"', '"')


# Of MySQL's and MariaDB's drivers; each passes over what only the other knows. A number of one digit is no boolean
# and a year no date, or values are lost; times with a zone come and are compared in UTC.
_ASKED = {
    "tinyInt1isBit": "false", "yearIsDateType": "false", "timezone": "UTC", "connectionTimeZone": "UTC",
    "forceConnectionTimeZoneToSession": "true",
}  # fmt: skip
# A driver whose jar is brought by `spark.jars` announces itself to nobody: its class must be named. Not MySQL's, whose
# URL the drivers of two houses take.
_DRIVERS = {
    "mariadb": "org.mariadb.jdbc.Driver",
    "oracle": "oracle.jdbc.OracleDriver",
    "postgresql": "org.postgresql.Driver",
    "sqlite": "org.sqlite.JDBC",
    "sqlserver": "com.microsoft.sqlserver.jdbc.SQLServerDriver",
}


def product(url: str) -> str:
    """Return the database's product as its URL names it."""
    return url.removeprefix("jdbc:").partition(":")[0]


def adapted(url: str) -> tuple[str, str | None]:
    """Return a URL under which Spark and the driver read what stands there, and the driver's class where it is known.

    Spark has no dialect for ``jdbc:mariadb:``. It would put column names in double quotes, which MariaDB takes for
    texts: each row's values would be the columns' names. Under ``jdbc:mysql:`` it quotes them right.

    Examples
    --------
    >>> url, driver = adapted("jdbc:mariadb://db/fleet?useSsl=true")
    >>> url.partition("&")[0], driver
    ('jdbc:mysql://db/fleet?useSsl=true', 'org.mariadb.jdbc.Driver')
    """
    named = product(url)
    if named not in ("mysql", "mariadb"):
        return url, _DRIVERS.get(named)
    more = _ASKED | ({"permitMysqlScheme": "true"} if named == "mariadb" else {})
    told = {word.partition("=")[0].lower() for word in url.partition("?")[2].split("&")}
    added = [f"{name}={value}" for name, value in more.items() if name.lower() not in told]
    sign = "&" if "?" in url else "?"
    asked = re.sub(r"^jdbc:mariadb:", "jdbc:mysql:", url) + (sign + "&".join(added) if added else "")
    return asked, _DRIVERS.get(named)


@dataclass(frozen=True)
class Literals:
    """How a database is told a date, a time, and a time with a zone (in UTC): the value stands at ``{}``."""

    date: str = "'{}'"
    time: str = "'{}'"
    zoned: str = "'{}+00:00'"


STANDARD = Literals()
_LITERALS = {
    # Compared in the connection's zone, which is UTC.
    "mysql": Literals(zoned="'{}'"), "mariadb": Literals(zoned="'{}'"),
    # Untyped texts go by the session's own formats.
    "oracle": Literals("DATE '{}'", "TIMESTAMP '{}'", "TIMESTAMP '{} +00:00'"),
    # A text with more than three decimals is no DATETIME to it.
    "sqlserver": Literals("CAST('{}' AS date)", "CAST('{}' AS datetime2)", "CAST('{}+00:00' AS datetimeoffset)"),
}  # fmt: skip


def literals(url: str) -> Literals:
    """Return how the database at `url` is told dates and times."""
    return _LITERALS.get(product(url), STANDARD)


# How a driver is told to give a silent line up; ``{s}`` and ``{ms}`` stand for the time.
_SILENCES: dict[str, dict[str, str]] = {
    "postgresql": {"connectTimeout": "{s}", "loginTimeout": "{s}", "socketTimeout": "{s}"},
    "mysql": {"connectTimeout": "{ms}", "socketTimeout": "{ms}"},
    "mariadb": {"connectTimeout": "{ms}", "socketTimeout": "{ms}"},
    "sqlserver": {"loginTimeout": "{s}", "socketTimeout": "{ms}"},
    "oracle": {"oracle.net.CONNECT_TIMEOUT": "{ms}", "oracle.jdbc.ReadTimeout": "{ms}"},
}


def silences(url: str, seconds: int) -> dict[str, str]:
    """Return the driver's properties that bound how long a line may be silent; nothing where it knows none.

    Examples
    --------
    >>> silences("jdbc:mariadb://db/fleet", 5), silences("jdbc:sqlite:fleet.db", 5)
    ({'connectTimeout': '5000', 'socketTimeout': '5000'}, {})
    """
    known = _SILENCES.get(product(url), {})
    return {name: text.format(s=seconds, ms=seconds * 1000) for name, text in known.items()}


_LIMITED = ("mysql", "mariadb", "sqlite", "databricks", "spark")


def first_rows(url: str, origin: str, number: int) -> str:
    """Return the query of the first rows of a table, in whatever order the database finds them.

    Examples
    --------
    >>> first_rows("jdbc:derby:fleet", "planes", 5), first_rows("jdbc:sqlserver://db", "planes", 5)
    ('SELECT * FROM planes FETCH FIRST 5 ROWS ONLY', 'SELECT TOP 5 * FROM planes')
    """
    named = product(url)
    if named == "sqlserver":
        return f"SELECT TOP {number} * FROM {origin}"  # noqa: S608  a validated or quoted name
    words = f"LIMIT {number}" if named in _LIMITED else f"FETCH FIRST {number} ROWS ONLY"
    return f"SELECT * FROM {origin} {words}"  # noqa: S608  a validated or quoted name


# A whole number of at least 0 and below a number, made of a text; products that have none are left out.
_BUCKETS = {
    "postgresql": "(hashtext({0}::text) & 2147483647) % {1}",
    "mysql": "CRC32({0}) % {1}", "mariadb": "CRC32({0}) % {1}",
    "sqlserver": "(CHECKSUM({0}) & 2147483647) % {1}",
    "oracle": "ORA_HASH({0}, {1} - 1)",
}  # fmt: skip


def bucket(url: str, column: str, number: int) -> str | None:
    """Return SQL of the group, from 0 to `number` - 1, that a text of `column` (quoted) falls into; None for none."""
    found = _BUCKETS.get(product(url))
    return found.format(column, number) if found else None


_BINARY = {"postgresql": ("prepareThreshold", "-1"), "mysql": ("useServerPrepStmts", "true")}


def properties(url: str) -> dict[str, str]:
    """Return what makes a driver take values in binary form, unless the URL says otherwise.

    It is quicker, and a FLOAT of MySQL's and MariaDB's has all of its digits; as text it has six.
    """
    name, value = _BINARY.get(product(url), ("", ""))
    return {name: value} if name and f"{name}=" not in url else {}


def quote_identifier(url: str, name: str) -> str:
    """Return `name` as an identifier of the database at `url`.

    Examples
    --------
    >>> quote_identifier("jdbc:postgresql://db/fleet", "tail"), quote_identifier("jdbc:mariadb://db/fleet", "ta`il")
    ('"tail"', '`ta``il`')
    """
    before, after = _QUOTES.get(product(url), _STANDARD)
    return before + name.replace(after, after * 2) + after
