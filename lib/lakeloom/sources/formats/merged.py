"""Merged cells of a sheet: only the first one holds the value; filled, all of them do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_CELLS = re.compile(r"([A-Z]+)(\d+):([A-Z]+)(\d+)")


@dataclass
class _Area:
    left: int
    top: int
    right: int
    bottom: int
    value: str | None = None


class Merged:
    """The merged areas of a sheet, to be asked row by row from above.

    Parameters
    ----------
    areas : sequence of str
        As ``A1:B3``; none where merged cells are left as they are.

    Examples
    --------
    >>> merged = Merged(["A1:B2"])
    >>> merged.filled(1, ["x", None, "y"]), merged.filled(2, [])
    (['x', 'x', 'y'], ['x', 'x'])
    """

    def __init__(self, areas: Sequence[str]) -> None:
        found = []
        for area in areas:
            match = _CELLS.fullmatch(area)
            if match:
                left, top, right, bottom = match.groups()
                found.append(_Area(_number(left), int(top), _number(right), int(bottom)))
        self._waiting = sorted(found, key=lambda area: -area.top)
        self._open: list[_Area] = []

    def filled(self, row: int, values: list[str | None]) -> list[str | None]:
        """Return the texts of a row with those of merged cells in all that they cover."""
        while self._waiting and self._waiting[-1].top <= row:
            area = self._waiting.pop()
            if area.top == row and area.left < len(values):
                area.value = values[area.left]
            self._open.append(area)
        self._open = [area for area in self._open if area.bottom >= row]
        for area in self._open:
            if area.value is not None:
                values = values + [None] * (area.right + 1 - len(values))
                for column in range(area.left, area.right + 1):
                    values[column] = area.value
        return values


def _number(letters: str) -> int:
    """Return a column's index, 0 for A."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
