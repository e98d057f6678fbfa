"""Rules from and to great-expectations' suites: the files' two forms, and the YAML that goes into tables.yml."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import ConfigError, ExportError, RuleError
from lakeloom.core.kinds import nearest
from lakeloom.core.names import TableName
from lakeloom.quality.suites import exported, rules_of

if TYPE_CHECKING:
    from lakeloom.project.spec import Project

# The form of the file; great-expectations reads files of its own and of earlier 1.x releases.
FORM = "1.0.0"


@dataclass(frozen=True)
class Suite:
    """What became of a suite, or of a table's rules.

    Attributes
    ----------
    table : str or None
        The table that the rules are for.
    text : str
        The whole file: YAML for tables.yml, or great-expectations' JSON.
    rules : tuple of dict
        The rules as the config writes them, or as great-expectations' expectations.
    left : tuple of (str, str)
        What could not be taken, and why.
    """

    table: str | None
    text: str
    rules: tuple[dict[str, Any], ...]
    left: tuple[tuple[str, str], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``rules --json``."""
        left = [{"name": name, "reason": reason} for name, reason in self.left]
        return {"table": self.table, "rules": list(self.rules), "left": left}

    def write(self, file: Path) -> Path:
        """Write the text to a new file; raises LL-EXPORT-003 where it exists, LL-EXPORT-004."""
        try:
            with file.open("x", encoding="utf-8") as stream:
                stream.write(self.text)
        except FileExistsError:
            raise ExportError(
                "LL-EXPORT-003", f"{file.name} exists already; it was left as it is", where=str(file),
                fix="move it away, or name another file with --output",
            ) from None  # fmt: skip
        except OSError as cause:
            raise ExportError(
                "LL-EXPORT-004", f"it can't be written ({cause.strerror})", where=str(file), fix="mend its rights"
            ) from cause
        return file


def read_suite(file: Path, table: str | None = None) -> Suite:
    """Return the rules of a suite's file, in great-expectations' form of 1.x or 0.x.

    Raises
    ------
    RuleError
        LL-RULE-004 where the file is no suite.
    TableError
        LL-TABLE-001 for a malformed table.
    """
    if table is not None:
        TableName.parse(table)
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        why = f"can't be read ({cause.strerror})" if isinstance(cause, OSError) else "is not JSON"
        raise RuleError("LL-RULE-004", f"the file {why}", where=str(file), fix="name a suite's JSON file") from cause
    expectations = document.get("expectations") if isinstance(document, dict) else document
    if not isinstance(expectations, list):
        raise RuleError(
            "LL-RULE-004", "the file has no list of expectations", where=str(file), fix="name a suite's JSON file"
        )
    taken = rules_of(expectations)
    return Suite(table, _yaml(table, taken.rules), taken.rules, taken.left)


def write_suite(project: Project, table: str) -> Suite:
    """Return a table's rules, those that its contract implies among them, as great-expectations' suite.

    Raises
    ------
    ConfigError
        LL-CONF-010 where the table is not declared.
    """
    spec = project.tables.get(table)
    if spec is None:
        near = nearest(table, sorted(project.tables))
        raise ConfigError(
            "LL-CONF-010", f"{table} is not a declared table", fix=f"use '{near}'" if near else "see lakeloom tables"
        )
    found = exported(spec.judged())
    suite = {
        "name": table,
        "id": None,
        "expectations": list(found.rules),
        "meta": {"great_expectations_version": FORM, "written_by": "lakeloom"},
        "notes": spec.description,
    }
    return Suite(table, json.dumps(suite, indent=2, ensure_ascii=False) + "\n", found.rules, found.left)


def _yaml(table: str | None, rules: tuple[dict[str, Any], ...]) -> str:
    """Return rules as YAML, one a line, below their table where there is one."""
    import io

    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    writer = YAML()
    writer.width = 1_000_000
    writer.indent(mapping=2, sequence=4, offset=2)
    lines = []
    for rule in rules:
        line = CommentedMap(rule)
        line.fa.set_flow_style()
        lines.append(line)
    page: dict[str, Any] = {"rules": lines}
    stream = io.StringIO()
    writer.dump({"tables": {table: page}} if table else page, stream)
    return stream.getvalue()
