"""The one error of the set-up: a code, what is missing or broken, and what to do."""

from __future__ import annotations


class SetupError(Exception):
    """A stage can't go on.

    Parameters
    ----------
    code : str
        ``LL-SETUP-nnn``; each has a line in ``lakeloom.core.codes``.
    message : str
        What was found.
    fix : str
        What to install, set or do; Debian's package names.
    """

    def __init__(self, code: str, message: str, fix: str) -> None:
        super().__init__(f"{code}  {message}\n  fix: {fix}")
        self.code = code
        self.fix = fix
