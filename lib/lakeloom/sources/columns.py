"""Names of raw columns: the source's own, with the few changes that storage asks for.

Delta refuses blanks and ``,;{}()=`` in names, and names that start with ``_`` are the platform's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_REFUSED_BY_DELTA = re.compile(r"[ ,;{}()\n\t=]")


def stored_name(name: str) -> str:
    """Return the name under which a raw column is stored.

    Examples
    --------
    >>> stored_name(" Dep Delay (min)")
    'Dep_Delay__min_'
    >>> stored_name("_id")
    'raw_id'
    """
    clean = _REFUSED_BY_DELTA.sub("_", name.strip())
    return f"raw{clean}" if clean.startswith("_") else clean


def clash(names: Iterable[str]) -> str | None:
    """Return what is wrong with a header: a name that is empty, holds controls, or is another's but for its case."""
    seen: dict[str, str] = {}
    for name in names:
        if not name.strip():
            return "a column of the header has no name"
        if any(ord(sign) < 32 and sign not in "\t\n\r" for sign in name):
            return "a name of the header holds control characters"
        key = stored_name(name).lower()
        if key in seen:
            return f"two columns are called '{seen[key]}' and '{name}'"
        seen[key] = name
    return None
