"""Merging documents by key: the overlay's value wins, mappings merge, lists are replaced."""

from __future__ import annotations

from typing import Any

from lakeloom.config.yaml import Document, Path_


def merge(base: Document, overlay: Document) -> Document:
    """Return `base` with `overlay` over it; the marks follow the values that won."""
    marks = dict(base.marks)
    data = _merged(base.data, overlay.data, (), marks)
    marks.update(overlay.marks)
    return Document(data, marks, base.findings + overlay.findings)


def _merged(
    base: dict[str, Any], over: dict[str, Any], path: Path_, marks: dict[Path_, tuple[str, int]]
) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        here = (*path, key)
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            result[key] = _merged(base[key], value, here, marks)
        else:
            for old in [mark for mark in marks if mark[: len(here)] == here]:
                del marks[old]
            result[key] = value
    return result
