"""Looking at files: a few of them are read as a run would, profiled, and told as entries to write."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.api.seen import Seen, many, seen
from lakeloom.api.suggestion import profile_of
from lakeloom.core.errors import SourceError
from lakeloom.quality.profile import ColumnProfile, TableProfile
from lakeloom.quality.proposals import form_of
from lakeloom.sources.files import Files
from lakeloom.sources.files_config import FilesConfig
from lakeloom.sources.ledger import entries
from lakeloom.sources.looking.groups import Group, groups, named
from lakeloom.sources.looking.places import place_of
from lakeloom.sources.looking.samples import Sampled, sampled
from lakeloom.tables import bronze

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_ROWS = 100_000
# Reading a text as one of these loses nothing; others are parsed behind bronze, where a loss is a reason to refuse.
_LOSSLESS = {"whole": "bigint", "boolean": "boolean", "ISO 8601": "timestamp"}


def look_at_files(text: str, home: Path, stores: Mapping[str, Mapping[str, Any]], spark: SparkSession) -> list[Seen]:
    """Return the sources that a folder, file, glob or address holds.

    Raises
    ------
    SourceError
        LL-SOURCE-001 where there is nothing or it can't be reached, LL-SOURCE-002 where a store refuses,
        LL-SOURCE-008 where what is there can't be told or read.
    ConfigError
        LL-CONF-004, LL-CONF-020 for what is no address.
    """
    place, pattern = place_of(text, home, stores)
    called = Path(text.rstrip("/*").partition("?")[0]).name or "files"
    with tempfile.TemporaryDirectory(prefix="lakeloom-look-") as made:
        found = [
            (group, sampled(place, group, Path(made) / str(at)))
            for at, group in enumerate(groups(place.entries(), pattern, called))
        ]
        return [_of_files(group, sample, place.path(group.pattern), spark) for group, sample in _united(found, called)]


def _united(found: Sequence[tuple[Group, Sampled]], called: str) -> list[tuple[Group, Sampled]]:
    """Return files of one folder that are written alike, with the same columns, as one source."""
    first = found[0]
    endings = {group.pattern.rpartition("/")[2].partition(".")[2] for group, _ in found}
    flat = not any("/" in group.pattern for group, _ in found)
    if len(found) == 1 or not flat or len(endings) > 1:
        return list(found)
    if any(sample.alike != first[1].alike or not sample.alike for _, sample in found):
        return list(found)
    every = tuple(entry for group, _ in found for entry in group.entries)
    return [(Group(named(called), f"*.{endings.pop()}", every), first[1])]


def _of_files(group: Group, sample: Sampled, path: str, spark: SparkSession) -> Seen:
    from lakeloom.session.spark import step_session

    written = sample.contents
    bare = dict.fromkeys(written.names, "string")
    options: dict[str, Any] = written.as_entry() | {"encoding": "utf-8"}
    config = FilesConfig.model_validate(
        {"kind": "files", "path": str(sample.folder / "*"), "columns": bare} | options
    ).located(sample.folder.with_name("zone"), None)
    clock, zone = datetime.now(UTC), sample.folder
    batch = Files.poll(config, [], clock, lambda: spark, zone)
    batch = Files.bring(config, batch, lambda: [], lambda: spark, zone) if batch else None
    problems = [each.problem for each in entries(batch or {}) if each.problem]
    if batch is None or len(problems) == len(batch["files"]):
        raise SourceError(
            "LL-SOURCE-008", f"{path} can't be read as {written.format}: {problems[0] if problems else 'it changes'}",
            fix="mend the file, or describe it by hand in sources.yml",
        )  # fmt: skip
    with step_session(spark) as session:
        landing = Files.read(session, config, batch, None, zone)
        if landing.shared is not None:
            landing.shared.persist()
        try:
            good = bronze.stamp(landing.good.limit(_ROWS), group.name, bronze.Stamp(1, clock.isoformat(), "look"))
            _, profile = profile_of(good, f"bronze.{group.name}", 0, {}, raw=True)
            broken = landing.broken.count() if landing.broken is not None else 0
        finally:
            if landing.shared is not None:
                landing.shared.unpersist()
    types = dict.fromkeys(written.names, "string") | _typed(profile)
    entry = {"kind": "files", "path": path} | written.as_entry() | ({"columns": types} if types else {})
    size = sum(each.size for each in group.entries)
    said = f"{many(len(group.entries), 'file')}, {size:,} bytes; {many(profile.rows, 'record')} looked at"
    said += f", {broken:,} more could not be read" if broken else ""
    why = {"": said, "columns": "what each text was, and is to be; others stay text until silver"}
    why |= {"encoding": written.guessed} if written.guessed else {}
    return seen(group.name, entry, why, _as_landed(profile, types))


def _typed(profile: TableProfile) -> dict[str, str]:
    """Return the types that bronze may have: every text is of it, and none says that there is nothing."""
    found = {}
    for column in profile.columns:
        form = form_of(column) if column.type == "string" and not column.blank else None
        if form in _LOSSLESS:
            found[column.name] = _LOSSLESS[form]
    return found


def _as_landed(profile: TableProfile, types: Mapping[str, str]) -> TableProfile:
    """Return the profile as it is where the columns have these types."""

    def landed(column: ColumnProfile) -> ColumnProfile:
        kind = types.get(column.name, column.type)
        return column if kind == column.type else replace(column, type=kind, forms={}, shapes=(), values=())

    return replace(profile, columns=tuple(landed(column) for column in profile.columns))
