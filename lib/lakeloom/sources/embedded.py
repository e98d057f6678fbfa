"""Databases that are files: a relative path in their URL starts at the project's home, not at the working folder."""

from __future__ import annotations

from pathlib import Path

# After these words Derby means something other than a folder of its own.
_ELSEWHERE = ("//", "memory:", "jar:", "classpath:", "/")


def anchored(url: str, base: Path) -> str:
    """Return a JDBC URL with the relative path of an embedded Derby or SQLite database made absolute.

    Parameters
    ----------
    url : str
        Such as ``jdbc:derby:landing/fleet;user=x`` or ``jdbc:sqlite:fleet.db``; others come back as they are.
    base : Path
        The project's home.
    """
    for product in ("derby", "sqlite"):
        start = f"jdbc:{product}:"
        place = url.removeprefix(start)
        if place != url and place and not place.startswith((*_ELSEWHERE, ":")):
            path, mark, rest = place.removeprefix("directory:").partition(";")
            return f"{start}{base / path}{mark}{rest}"
    return url
