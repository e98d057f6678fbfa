"""Findings: mistakes in the config, collected and reported together."""

from __future__ import annotations

from dataclasses import dataclass

from lakeloom.core.errors import ConfigError
from lakeloom.core.secrets import mask


@dataclass(frozen=True, order=True)
class Finding:
    """One mistake: where it stands, what is wrong, and what to do.

    Attributes
    ----------
    file : str
        Path of the config file, relative to the project's home.
    line : int
        Line in that file, from 1; 0 where none is known.
    path : str
        Dotted path of the key in the config.
    code, message, fix : str
        As in `lakeloom.core.errors.LakeloomError`.
    """

    file: str
    line: int
    path: str
    code: str
    message: str
    fix: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return the finding as ``check --json`` shows it."""
        return {
            "code": self.code,
            "file": self.file,
            "line": self.line,
            "path": self.path,
            "message": mask(self.message),
            "fix": mask(self.fix),
        }

    def __str__(self) -> str:
        lines = [f"{self.code}  {self.file}:{self.line}  {self.path}", f"  {mask(self.message)}"]
        return "\n".join([*lines, f"  fix: {mask(self.fix)}"] if self.fix else lines)


class FindingsError(ConfigError):
    """All findings of a check in one error; its text lists each of them."""

    def __init__(self, findings: list[Finding]) -> None:
        first = findings[0]
        super().__init__(first.code, first.message, where=f"{first.file}:{first.line}  {first.path}", fix=first.fix)
        self.findings = sorted(findings)

    def __str__(self) -> str:
        return "\n".join(str(finding) for finding in self.findings)

    def __reduce__(self) -> tuple[type[FindingsError], tuple[list[Finding]]]:
        return (FindingsError, (self.findings,))
