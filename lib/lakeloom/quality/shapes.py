"""Codes: the shapes of texts → one pattern that all of them match, where they are of one build.

A shape writes 9 for a digit, A for a capital, a for a small letter and anything else as it is. Shapes are of
one build where the kinds of their signs follow each other in the same way: ``AA999`` and ``A99`` are, and
give ``^[A-Z]{1,2}[0-9]{2,3}$``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

_KINDS = {"9": "[0-9]", "A": "[A-Z]", "a": "[a-z]"}


def shape_of(text: str) -> str:
    """Return a text's shape; letters beyond ASCII stand for themselves.

    Examples
    --------
    >>> shape_of("N14-228é")
    'A99-999é'
    """
    return re.sub(r"[a-z]", "a", re.sub(r"[A-Z]", "A", re.sub(r"[0-9]", "9", text)))


def pattern_of(shapes: Iterable[str]) -> str | None:
    """Return a regular expression that every text of these shapes matches, None where they are no code.

    Examples
    --------
    >>> pattern_of(["AA999", "A99"])
    '^[A-Z]{1,2}[0-9]{2,3}$'
    >>> pattern_of(["AAA", "999"]) is None, pattern_of(["Aaaa aaa"]) is None
    (True, True)
    """
    builds = [[(sign, len(list(run))) for sign, run in groupby(shape)] for shape in shapes]
    if not builds or any([s for s, _ in build] != [s for s, _ in builds[0]] for build in builds):
        return None
    # Words are no code: what is told by shape has digits or capitals only, and no white space.
    signs = {sign for sign, _ in builds[0]}
    strange = [sign for sign in signs if sign.isspace() or (sign.isalpha() and sign != "A")]
    if strange or not signs & {"9", "A"}:
        return None
    found = ""
    for at, (sign, _) in enumerate(builds[0]):
        lengths = [build[at][1] for build in builds]
        low, high = min(lengths), max(lengths)
        times = "" if low == high == 1 else f"{{{low}}}" if low == high else f"{{{low},{high}}}"
        found += _KINDS.get(sign, re.escape(sign)) + times
    return f"^{found}$"
