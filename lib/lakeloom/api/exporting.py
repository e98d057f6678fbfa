"""`Export`: a project in another scheduler's words: its text, where it goes, and what a committed file lacks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import ConfigError, ExportError
from lakeloom.core.kinds import pick
from lakeloom.project.exports import EXPORTS, FILES
from lakeloom.project.exports.drift import Difference, in_data, in_lines
from lakeloom.project.exports.tasks import MARK, Asked

if TYPE_CHECKING:
    from lakeloom.project.spec import Project


@dataclass(frozen=True)
class Export:
    """What an export gives.

    Attributes
    ----------
    kind : str
        databricks, airflow or submit.
    text : str
        The whole file.
    file : Path or None
        Where it goes; None for a kind that has no file of its own.
    """

    kind: str
    text: str
    file: Path | None

    def write(self) -> Path:
        """Write the file and return its path.

        Raises
        ------
        ExportError
            LL-EXPORT-003 where a file that no export wrote stands there, LL-EXPORT-004.
        """
        file = self._place()
        try:
            if file.exists() and MARK not in file.read_text(encoding="utf-8", errors="replace"):
                raise ExportError(
                    "LL-EXPORT-003",
                    f"{file.name} was not written by an export; it was left as it is",
                    where=str(file),
                    fix="move it away, or name another file with --output",
                )
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self.text, encoding="utf-8")
        except OSError as cause:
            raise ExportError(
                "LL-EXPORT-004", f"it can't be written ({cause.strerror})", where=str(file), fix="mend its rights"
            ) from cause
        return file

    def drift(self) -> list[Difference]:
        """Return where the file differs from the graph, none where it does not.

        A bundle is compared as data: comments and layout are its reader's own business. Raises
        LL-EXPORT-004 where there is no file, or one that can't be read.
        """
        file = self._place()
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as cause:
            why = "is no text" if isinstance(cause, UnicodeDecodeError) else f"can't be read ({cause.strerror})"
            raise ExportError(
                "LL-EXPORT-004", f"the file {why}", where=str(file), fix=f"write it: lakeloom export {self.kind}"
            ) from cause
        if file.suffix in (".yml", ".yaml"):
            return list(in_data(_data(text, file), _data(self.text, file)))
        return list(in_lines(text, self.text))

    def drifted(self, count: int) -> ExportError:
        """Return LL-EXPORT-001 about `count` differences."""
        places = "1 place" if count == 1 else f"{count} places"
        return ExportError(
            "LL-EXPORT-001",
            f"it differs from the graph in {places}",
            where=str(self.file),
            fix=f"write it anew (lakeloom export {self.kind}), or change conf/",
        )

    def _place(self) -> Path:
        if self.file is None:
            raise ConfigError(
                "LL-CONF-018", f"'{self.kind}' has no file of its own", where="--output", fix="name one with --output"
            )
        return self.file


def export(
    project: Project, kind: str, output: str | Path | None, *, manager: str = "kubernetes", deploy: str = "cluster"
) -> Export:
    """Return a project in another scheduler's words; see `lakeloom.api.lakehouse.Lakehouse.export`."""
    generate = pick(kind, EXPORTS, "export")
    for given, valid in ((manager, ("kubernetes", "yarn")), (deploy, ("client", "cluster"))):
        if given not in valid:
            raise ConfigError("LL-CONF-004", f"'{given}' is neither {valid[0]} nor {valid[1]}", where="export submit")
    file = Path(output) if output else None
    if file is None and kind in FILES:
        file = project.home / FILES[kind].format(project=project.name)
    up = os.path.relpath(project.home, file.resolve().parent) if file else "."
    return Export(kind, generate(project, Asked(up, manager, deploy)), file)  # type: ignore[arg-type]  # checked above


def _data(text: str, file: Path) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as cause:
        raise ExportError(
            "LL-EXPORT-004", "the file is not YAML", where=str(file), fix="write it anew: lakeloom export databricks"
        ) from cause
