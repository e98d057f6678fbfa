"""``${env:NAME:-default}`` and ``${secret:scope/key}``: resolved at run time only.

Secrets come from the environment variable ``LAKELOOM_SECRET_<SCOPE>_<KEY>`` or from what ``LAKELOOM_SECRETS``
names: folders and vaults, see `lakeloom.config.vaults`. A resolved secret is a `Secret`, never a plain string: it
can't be printed, logged or hashed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

from lakeloom.core.errors import ConfigError
from lakeloom.core.secrets import Secret

_PLACE = re.compile(r"\$\{(env|secret):([^}:]+)(?::-([^}]*))?\}")


def resolve(value: Any, where: str = "") -> Any:
    """Return `value` with every placeholder in it replaced.

    A string that is one secret becomes a `Secret`; a secret inside a longer string makes the whole
    string a `Secret`. Raises LL-CONF-008 where a variable or a secret is not set.
    """
    if isinstance(value, dict):
        return {key: resolve(item, f"{where}.{key}" if where else key) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, where) for item in value]
    if not isinstance(value, str) or "${" not in value:
        return value
    hidden = False

    def replace(match: re.Match[str]) -> str:
        nonlocal hidden
        kind, name, default = match.groups()
        if kind == "env":
            return _environment(name, default, where)
        hidden = True
        return _secret(name, where).reveal()

    text = _PLACE.sub(replace, value)
    return Secret(text) if hidden else text


def translate(text: str, env: Callable[[str, str | None], str], secret: Callable[[str], str]) -> str:
    """Return `text` with each placeholder in another system's words; nothing is resolved.

    Parameters
    ----------
    env : callable
        Name and default (None without one) of a variable → text.
    secret : callable
        ``scope/key`` → text.
    """

    def replace(match: re.Match[str]) -> str:
        kind, name, default = match.groups()
        return env(name, default) if kind == "env" else secret(name)

    return _PLACE.sub(replace, text)


def secret_variable(name: str) -> str:
    """Return the environment variable of the secret ``scope/key``."""
    return "LAKELOOM_SECRET_" + re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def placeholders(value: Any) -> Iterator[tuple[str, str]]:
    """Yield (kind, name) of every placeholder in `value`."""
    if isinstance(value, dict):
        for item in value.values():
            yield from placeholders(item)
    elif isinstance(value, list):
        for item in value:
            yield from placeholders(item)
    elif isinstance(value, str):
        for match in _PLACE.finditer(value):
            yield match.group(1), match.group(2)


def _environment(name: str, default: str | None, where: str) -> str:
    value = os.environ.get(name, default)
    if value is None:
        raise ConfigError(
            "LL-CONF-008",
            f"the environment variable {name} is not set",
            where=where,
            fix=f"set {name}, or write ${{env:{name}:-default}}",
        )
    return value


def _secret(name: str, where: str) -> Secret:
    variable = secret_variable(name)
    if variable in os.environ:
        return Secret(os.environ[variable])
    entries = os.environ.get("LAKELOOM_SECRETS")
    if entries:
        from lakeloom.config.vaults.asked import ask

        try:
            found = ask(entries, name)
        except ConfigError as error:
            error.where = where or error.where
            raise
        if found is not None:
            return Secret(found)
    raise ConfigError(
        "LL-CONF-008",
        f"the secret {name} is not set",
        where=where,
        fix=f"set {variable}, or put it into a vault or folder that LAKELOOM_SECRETS names",
    )
