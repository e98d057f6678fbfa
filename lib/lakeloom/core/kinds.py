"""The one plug-in idiom: a literal dict of dotted names, looked up lazily.

``SOURCES = {"files": "lakeloom.sources.files:Files"}``; `pick` imports what a kind names, and takes
a dotted name as it is. Nothing is scanned, decorated or registered.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from typing import Any

from lakeloom.core.errors import ConfigError
from lakeloom.core.extras import missing


def load(dotted: str, where: str = "") -> Any:
    """Import ``package.module:name``; raises LL-CONF-021 where there is no such thing, LL-SETUP-003 for an extra."""
    module, _, name = dotted.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as cause:
        raise missing(cause, where) or ConfigError(
            "LL-CONF-021",
            f"'{dotted}' can't be imported: {cause}",
            where=where,
            fix="name it package.module:attribute and put the package on the path",
        ) from cause


def pick(kind: str, kinds: Mapping[str, str], where: str = "") -> Any:
    """Return what `kind` names.

    Parameters
    ----------
    kind : str
        A key of `kinds`, or a dotted name ``package.module:attribute``.
    kinds : mapping
        Kind to dotted name.
    where : str
        The place in the config, for the error.

    Raises
    ------
    ConfigError
        LL-CONF-020 for an unknown kind, with the valid ones and the nearest; LL-CONF-021.
    """
    if kind in kinds:
        return load(kinds[kind], where)
    if ":" in kind:
        return load(kind, where)
    near = nearest(kind, kinds)
    raise ConfigError(
        "LL-CONF-020",
        f"kind '{kind}' is unknown; the kinds are {', '.join(sorted(kinds))}",
        where=where,
        fix=f"use '{near}'" if near else "use one of them, or package.module:attribute",
    )


def nearest(word: str, words: Mapping[str, Any] | list[str] | tuple[str, ...]) -> str | None:
    """Return the one of `words` most like `word`, or None where none is."""
    found = difflib.get_close_matches(word, list(words), n=1)
    return found[0] if found else None
