"""Secrets as files ``<folder>/<scope>/<key>``, which none but their owner may read."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, unquote

from lakeloom.core.errors import ConfigError


class Folder:
    """A folder; links that lead out of it are passed over."""

    def __init__(self, place: SplitResult, options: Mapping[str, str]) -> None:
        del options
        self._folder = Path(unquote(place.path)).resolve()

    def read(self, name: str) -> str | None:
        """Return the content of the secret's file without blanks around it; see `lakeloom.config.vaults.base.Vault`."""
        file = (self._folder / name).resolve()
        if not file.is_relative_to(self._folder) or not file.is_file():
            return None
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise ConfigError("LL-CONF-008", f"the file of the secret {name} can be read by others", fix="chmod 600 it")
        return file.read_text(encoding="utf-8").strip()
