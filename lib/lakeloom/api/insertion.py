"""Adding entries to a file of the config as text, so that what a person wrote there stays as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lakeloom.core.errors import ConfigError

_TOP = re.compile(r"^[A-Za-z_]\w*:")


def inserted(text: str, section: str, entries: Sequence[str], where: str = "") -> str:
    r"""Return `text` with `entries` at the end of a top-level section, which is made where it is not there.

    Parameters
    ----------
    text : str
        The file as it is; empty where it is new.
    section : str
        Such as ``sources``.
    entries : sequence of str
        Each an entry's lines, indented by two blanks.
    where : str
        The file, for the error.

    Raises
    ------
    ConfigError
        LL-CONF-023 where the section is written on one line: it can't be added to.

    Examples
    --------
    >>> print(inserted("sources:\n  a: {kind: files}\nseed: 7\n", "sources", ["  b: {kind: jdbc}\n"]), end="")
    sources:
      a: {kind: files}
      b: {kind: jdbc}
    seed: 7
    """
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    start = next((at for at, line in enumerate(lines) if line.startswith(f"{section}:")), None)
    if start is None:
        return "".join([*lines, f"{section}:\n", *entries])
    rest = lines[start].partition(":")[2].partition(" #")[0].strip()
    if rest not in ("", "{}", "null", "~"):
        raise ConfigError(
            "LL-CONF-023", f"{section}: is written on one line, which can't be added to", where=where,
            fix=f"write each of its entries on a line of its own below {section}:",
        )  # fmt: skip
    if rest:
        lines[start] = f"{section}:\n"
    end = next((at for at in range(start + 1, len(lines)) if _TOP.match(lines[at])), len(lines))
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    inner = next((line for line in lines[start + 1 : end] if line.strip() and not line.lstrip().startswith("#")), "  ")
    indent = inner[: len(inner) - len(inner.lstrip(" "))] or "  "
    moved = [re.sub(r"^  ", indent, entry, flags=re.MULTILINE) for entry in entries]
    return "".join([*lines[:end], *moved, *lines[end:]])
