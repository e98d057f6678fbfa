"""What a URL or an option gives away of who asks: parted from it, and written as a placeholder. Pure.

Source: the URL forms of the drivers' manuals: ``?user=…&password=…`` (PostgreSQL, MySQL, MariaDB), ``;user=…`` (Derby,
SQL Server), ``//user:password@host`` (MySQL, MariaDB), ``thin:user/password@`` (Oracle).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lakeloom.config.placeholders import placeholders
from lakeloom.core.errors import ConfigError

_SECRET = re.compile(
    r"pass(word|wd|phrase)?|pwd|secret|token|credential|signature|sig|api_?key|access_?key|private_?key", re.IGNORECASE
)
_BEFORE_HOST = re.compile(r"(?<!@)(//)((?:\$\{[^}]*\}|[^/@?;\s:])+)(?::([^/@?;\s]*))?@")
_ORACLE = re.compile(r"(^jdbc:oracle:\w+:)([^/@:]+)/([^@]*)(?=@)")  # the @ stays


@dataclass(frozen=True)
class Parted:
    """A URL without who asks.

    Attributes
    ----------
    url : str
    given : dict
        ``user``, ``password`` and other words of the driver → their values, placeholders among them.
    """

    url: str
    given: dict[str, str] = field(default_factory=dict, repr=False)


def parted(url: str) -> Parted:
    """Return a JDBC URL without user, password and whatever else of it is secret.

    Examples
    --------
    >>> parted("jdbc:postgresql://db/fleet?user=ada&ssl=true&password=x").url
    'jdbc:postgresql://db/fleet?ssl=true'
    >>> parted("jdbc:derby://db:1527/fleet;user=ada;password=x").url
    'jdbc:derby://db:1527/fleet'
    """
    given: dict[str, str] = {}

    def who(found: re.Match[str]) -> str:
        given.update({"user": found[2]} | ({"password": found[3]} if found[3] is not None else {}))
        return found[1]

    # Placeholders may hold any sign.
    pieces = re.findall(r"[?&;]|(?:\$\{[^}]*\}|[^?&;])+", url)
    kept = [_BEFORE_HOST.sub(who, _ORACLE.sub(who, pieces[0], count=1), count=1)] if pieces else []
    for sign, word in zip(pieces[1::2], pieces[2::2], strict=False):
        name, _, value = word.partition("=")
        if name.lower() in ("user", "password"):
            given[name.lower()] = value
        elif _SECRET.search(name):
            given[name] = value
        else:
            kept.append(f"{'?' if sign == '&' and len(kept) == 1 else sign}{word}")
    return Parted("".join(kept), given)


def written(name: str, value: str, scope: str) -> str:
    """Return what the config says of a credential: the placeholder that was given, else a new one."""
    return value if value and any(placeholders(value)) else f"${{secret:{scope}/{name}}}"


def refuse_signed(text: str) -> None:
    """Refuse an address of objects that holds a password or a signature: it would stand in every row's ``_file``.

    Raises LL-CONF-024.
    """
    signed = re.search(r"//[^/@\s]+:[^/@\s]+@|[?&](X-Amz-|X-Goog-|sig=|signature=|token=|key=)", text, re.IGNORECASE)
    if signed:
        raise ConfigError(
            "LL-CONF-024", "the address holds a password or a signature, which would stand in every row's _file",
            where="--from", fix="leave it out, and give it by --option, such as headers.Authorization or access_key",
        )  # fmt: skip


def options_of(given: Mapping[str, str], secret: frozenset[str], scope: str) -> dict[str, object]:
    """Return options as the config says them; ``a.b`` is ``b`` below ``a``, and those that are secret placeholders."""
    found: dict[str, object] = {}
    for name, value in given.items():
        head, _, rest = name.partition(".")
        told = written(name.replace(".", "-"), value, scope) if head in secret or _SECRET.search(name) else value
        if rest:
            inner = found.setdefault(head, {})
            assert isinstance(inner, dict)  # of the same kind of option
            inner[rest] = told
        else:
            found[name] = told
    return found
