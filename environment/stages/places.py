"""Where the set-up reads and writes: the checkout, its virtual environment, and the user's cache folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """The folders that the stages share.

    Parameters
    ----------
    checkout : Path
        The repository's root.
    cache : Path
        Built wheels and fetched jars, shared by all checkouts of this user.
    """

    checkout: Path
    cache: Path

    @classmethod
    def here(cls) -> Places:
        """Return this checkout's places; the cache is ``XDG_CACHE_HOME`` or ``~/.cache``, then ``lakeloom``."""
        named = os.environ.get("XDG_CACHE_HOME")
        home = Path(named) if named else Path.home() / ".cache"
        return cls(checkout=Path(__file__).resolve().parents[2], cache=home / "lakeloom")

    @property
    def environment(self) -> Path:
        """Return the folder of the locks."""
        return self.checkout / "environment"

    @property
    def jars(self) -> Path:
        """Return the folder of the fetched jars."""
        return self.environment / "jars"

    @property
    def venv(self) -> Path:
        """Return the virtual environment."""
        return self.checkout / ".venv"

    @property
    def python(self) -> Path:
        """Return the virtual environment's interpreter."""
        return self.venv / "bin" / "python"

    @property
    def site(self) -> Path:
        """Return the folder that packages are installed in."""
        return self.venv / "lib" / "python3.11" / "site-packages"
