"""A project that sources are added to, new or there already: what a person wrote there stays as it is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.api.insertion import inserted
from lakeloom.api.scaffold import base_text
from lakeloom.api.seen import Seen
from lakeloom.api.suggestion import flow, made, written_out
from lakeloom.config.load import Raw, read
from lakeloom.config.placeholders import placeholders, secret_variable
from lakeloom.core.findings import FindingsError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Onboarded:
    """What was written.

    Attributes
    ----------
    files : tuple of str
        Relative to the folder.
    sources : tuple of Seen
    unset : tuple of str
        Variables and secrets that must be set before the first run, in words.
    """

    files: tuple[str, ...]
    sources: tuple[Seen, ...]
    unset: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``init --from --json``."""
        sources = [
            {"name": seen.name, "table": seen.table, "entry": dict(seen.entry), "why": dict(seen.why),
             "proposals": [each.as_dict() for each in seen.told]}
            for seen in self.sources
        ]  # fmt: skip
        return {"files": list(self.files), "sources": sources, "unset": list(self.unset)}


class Target:
    """The project that is written to: new, or there already."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.conf = folder / "conf"
        self.raw: Raw | None = None
        if (self.conf / name).is_dir():
            self.raw = read(self.conf / name)
            if self.raw.document.findings:
                raise FindingsError(self.raw.document.findings)

    @property
    def data(self) -> Mapping[str, Any]:
        """The config as it is, empty of a new project."""
        return self.raw.document.data if self.raw is not None else {}

    @property
    def stores(self) -> dict[str, Any]:
        """``stores:`` as it is."""
        return dict(self.data.get("stores") or {})

    def spark(self) -> SparkSession:
        """Return a Spark session with the project's settings."""
        from lakeloom.session.settings import overlay_of
        from lakeloom.session.spark import open_session

        return open_session(overlay_of(self.data.get("spark") or {}), "look")

    def write(self, seen: Sequence[Seen], stores: Mapping[str, Any]) -> Onboarded:
        """Write or add to the project's files.

        Raises FindingsError, and leaves all as it was, where `check` finds fault with what was added.
        """
        seen = self._named_apart(seen)
        sections = {
            f"conf/{self.name}/sources.yml": ("sources", [_source(each) for each in seen]),
            f"conf/{self.name}/tables.yml": ("tables", [_table(each) for each in seen]),
        }
        fresh = [f"  {flow(root)}: {flow(entry)}\n" for root, entry in stores.items() if root not in self.stores]
        if fresh:
            sections["conf/base.yml"] = ("stores", fresh)
        texts = {}
        if not (self.conf / "base.yml").exists():
            texts["conf/base.yml"] = base_text(self.name)
        for file, (section, entries) in sections.items():
            before = texts.get(file) or self._text(file)
            texts[file] = inserted(before, section, entries, file)
        self._put(texts)
        said = "".join(texts.values())
        return Onboarded(tuple(sorted(texts)), tuple(seen), tuple(_unset(said)))

    def _named_apart(self, seen: Sequence[Seen]) -> list[Seen]:
        """Return what was seen under names that the project does not have yet."""
        taken = set(self.data.get("sources") or {})
        taken |= {each.removeprefix("silver.") for each in self.data.get("tables") or {}}
        found = []
        for each in seen:
            called = next(n for n in (each.name, *(f"{each.name}_{at}" for at in range(2, 10_000))) if n not in taken)
            taken.add(called)
            found.append(replace(each, name=called))
        return found

    def _text(self, file: str) -> str:
        place = self.folder / file
        return place.read_text(encoding="utf-8") if place.exists() else ""

    def _put(self, texts: Mapping[str, str]) -> None:
        from lakeloom.project.check import check

        before = {file: (self.folder / file).read_bytes() if (self.folder / file).exists() else None for file in texts}
        known = set(check(self.raw, machine=False)[1]) if self.raw is not None else set()
        try:
            for file, text in texts.items():
                (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / file).write_text(text, encoding="utf-8")
            _, findings = check(read(self.conf / self.name), machine=False)
            ours = [each for each in findings if (each.code, each.path) not in {(k.code, k.path) for k in known}]
            if ours:
                raise FindingsError(ours)
        except BaseException:
            for file, content in before.items():
                if content is None:
                    (self.folder / file).unlink(missing_ok=True)
                else:
                    (self.folder / file).write_bytes(content)
            raise


def _source(seen: Seen) -> str:
    """Return a source's entry: a line a key, with why it is so behind it."""
    lines = [f"  {seen.name}:  # {seen.why['']}"]
    for key, value in seen.entry.items():
        why = f"  # {seen.why[key]}" if seen.why.get(key) else ""
        lines.append(f"    {key}: {flow(value)}{why}")
    return "\n".join(lines) + "\n"


def _table(seen: Seen) -> str:
    """Return the entry of the silver table that is made of a source."""
    profile = replace(seen.profile, table=f"bronze.{seen.name}")
    entry = made(profile, seen.told, None, raw=True)
    return written_out(seen.table, entry, seen.told).partition("\n")[2]


def _unset(text: str) -> list[str]:
    found = []
    for kind, name in dict.fromkeys(placeholders(text)):
        variable = name if kind == "env" else secret_variable(name)
        if variable not in os.environ and not (kind == "env" and f"${{env:{name}:-" in text):
            found.append(variable)
    return found
