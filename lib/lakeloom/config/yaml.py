"""One YAML 1.2 file → plain data and the line of every key.

YAML 1.2, because 1.1 reads ``1e-4`` as text and ``no`` as false. Duplicate keys and tabs are findings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lakeloom.core.findings import Finding

Path_ = tuple[str, ...]
Marks = dict[Path_, tuple[str, int]]


@dataclass
class Document:
    """Plain data, the place (file, line) of every key, and what is wrong."""

    data: dict[str, Any] = field(default_factory=dict)
    marks: Marks = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def load(path: Path, shown: str) -> Document:
    """Read a YAML file whose top is a mapping.

    Parameters
    ----------
    path : Path
        The file.
    shown : str
        The file's name in findings, relative to the project's home.

    Returns
    -------
    Document
        Findings: LL-CONF-001 unreadable, LL-CONF-002 a duplicate key, LL-CONF-006 a tab.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import DuplicateKeyError
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    found = Document()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        reason = "is not UTF-8" if isinstance(cause, UnicodeDecodeError) else f"can't be read ({cause.strerror})"
        found.findings.append(Finding(shown, 0, "", "LL-CONF-001", f"the file {reason}", "mend the file"))
        return found
    tabs = [
        number for number, line in enumerate(text.splitlines(), 1) if "\t" in line[: len(line) - len(line.lstrip())]
    ]
    if tabs:
        found.findings += [
            Finding(shown, line, "", "LL-CONF-006", "a tab stands in the indentation", "indent with spaces")
            for line in tabs
        ]
        return found
    try:
        tree = YAML(typ="rt", pure=True).load(text)
    except DuplicateKeyError as cause:
        line = cause.problem_mark.line + 1 if cause.problem_mark else 0
        problem = str(cause.problem).split(" with value")[0]
        found.findings.append(Finding(shown, line, "", "LL-CONF-002", problem, "remove one of the two"))
        return found
    except YAMLError as cause:
        mark = cause.problem_mark if isinstance(cause, MarkedYAMLError) else None
        problem = (cause.problem if isinstance(cause, MarkedYAMLError) else None) or "is not YAML"
        line = mark.line + 1 if mark else 0
        found.findings.append(Finding(shown, line, "", "LL-CONF-001", str(problem), "mend the YAML at this line"))
        return found
    if tree is None:
        return found
    if not isinstance(tree, dict):
        found.findings.append(
            Finding(shown, 1, "", "LL-CONF-001", f"the top is a {_kind(tree)}, not a mapping", "start with a key")
        )
        return found
    found.data = _plain(tree, (), found.marks, shown)
    return found


def _kind(value: Any) -> str:
    return "list" if isinstance(value, list) else type(value).__name__


def _line(node: Any, key: Any) -> int:
    """Return a key's line; of one that a merge key (``<<``) brought, that of the mapping it was merged into."""
    known = node.lc.data or {}
    return int(known[key][0] if key in known else node.lc.line) + 1


def _plain(node: Any, path: Path_, marks: Marks, shown: str) -> Any:
    if isinstance(node, dict):
        plain: dict[str, Any] = {}
        for key, value in node.items():
            here = (*path, str(key))
            marks[here] = (shown, _line(node, key))
            plain[str(key)] = _plain(value, here, marks, shown)
        return plain
    if isinstance(node, list):
        items = []
        for index, value in enumerate(node):
            here = (*path, str(index))
            marks[here] = (shown, node.lc.data[index][0] + 1)  # type: ignore[attr-defined]
            items.append(_plain(value, here, marks, shown))
        return items
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return None if node is None else str(node)
