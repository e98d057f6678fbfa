"""What libpq is told where PostgreSQL's JDBC driver is told something: the same server, user and verification.

What it does not know for certain how to say is left to the driver: then there are no words. Nothing of the process's
surroundings that libpq would go by (``PGHOSTADDR``, a file of passwords) has a say.

Source: PostgreSQL's manual, "Database Connection Control Functions"; pgJDBC's, "Connecting to the Database".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

_PLACE = re.compile(
    r"jdbc:postgresql://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])?(?::(?P<port>\d+))?/(?P<name>[^?/]*)(?:\?(?P<told>.*))?"
)
# Of Spark's reader and of how values travel: of no concern here.
_OTHERS = {"driver", "fetchsize", "prepareThreshold"}
_SAME = {"user": "user", "password": "password", "sslmode": "sslmode", "sslrootcert": "sslrootcert",
         "ApplicationName": "application_name"}  # fmt: skip
_TIMES = {"connectTimeout", "loginTimeout"}  # seconds; 0 for ever
# Seconds that a line may be silent: libpq knows only of one that acknowledges nothing, the rest is its caller's.
SILENCE = "socketTimeout"
_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
# A line that has died in silence is noticed after some two minutes.
_ALWAYS = {
    "client_encoding": "UTF8", "gssencmode": "disable", "passfile": "/dev/null", "hostaddr": "", "options": "",
    "keepalives": "1", "keepalives_idle": "60", "keepalives_interval": "15", "keepalives_count": "4",
}  # fmt: skip


def words(url: str, properties: Mapping[str, str]) -> dict[str, str] | None:
    """Return libpq's words for a connection, None where only the driver knows what is meant.

    Parameters
    ----------
    url : str
        As the driver is asked.
    properties : mapping
        What it and Spark's reader are told beside.

    Examples
    --------
    >>> words("jdbc:postgresql://db/fleet?sslmode=verify-full", {"user": "reader"})["sslmode"]
    'verify-full'
    >>> words("jdbc:postgresql://one,two/fleet", {}) is None
    True
    """
    place = _PLACE.fullmatch(url)
    if place is None or "%" in place["name"]:
        return None
    told = dict(parse_qsl(place["told"] or "", keep_blank_values=True)) | dict(properties)
    found = {
        "host": (place["host"] or "localhost").strip("[]"),
        "port": place["port"] or "5432",
        "dbname": place["name"] or told.get("user", ""),
        "sslmode": "prefer",
        "application_name": "lakeloom",
    }
    waits = []
    for name, value in told.items():
        if name in _SAME:
            found[_SAME[name]] = value
        elif name in _TIMES and value.isdecimal():
            waits.append(int(value))
        elif name == SILENCE and value.isdecimal():
            found["tcp_user_timeout"] = f"{int(value) * 1000}"
        elif name not in _OTHERS:
            return None
    if found["sslmode"] not in _MODES or not found["dbname"] or not found.get("user"):
        return None
    if found["sslmode"].startswith("verify") and not found.get("sslrootcert"):
        return None  # by which authorities is the driver's own affair
    if any(waits):
        found["connect_timeout"] = str(min(each for each in waits if each))
    return _ALWAYS | found


def uri(told: Mapping[str, str]) -> str:
    """Return a connection's words as libpq's one text."""
    return "postgresql://?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in told.items())
