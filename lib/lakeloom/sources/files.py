"""Files: what is new in a landing folder or an object store, read as an explicit list, bad files kept whole.

Files are not a stream. A poll lists the folder and compares it with the ledger (the files of the
batches landed); only new and changed files are opened, once, to learn their content's id, header and
soundness. A read takes exactly the files of its batch, never a folder. A file that can't be read as
what it is goes to quarantine with its bytes, a record that can't with its raw text; the rest loads.

A path that is an address (``s3://bucket/folder/*.csv``) names objects of a store: a poll lists them, and they are
fetched into the landing zone before they are inspected, see `lakeloom.sources.objects`.

Packed files and the members of archives are unpacked into the landing zone too, see `lakeloom.sources.packed`.

Refused: patterns over what has no listing (http), unknown reader options.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from lakeloom.core.errors import SourceError
from lakeloom.objects.address import Address, is_address
from lakeloom.objects.opened import opening
from lakeloom.session.connect import is_connect
from lakeloom.session.spark import Opener
from lakeloom.sources import direct, ledger, listing, objects, plain
from lakeloom.sources.files_config import FilesConfig
from lakeloom.sources.formats import FORMATS
from lakeloom.sources.formats.base import format_of
from lakeloom.sources.formats.columnar import has_footer
from lakeloom.sources.inspection import Reading, inspect, is_packed
from lakeloom.sources.landing import Batch, Landing
from lakeloom.sources.ledger import CHANGED, REFUSED_BY_POLICY, FileEntry
from lakeloom.sources.packed import UTF8, PackedError, has_plain_name, is_utf8, renamed, unpack
from lakeloom.sources.spreading import spread

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

EXECUTORS_FROM_BYTES = 256 << 20
_TASKS_A_SLOT = 16


class Files:
    """The source kind ``files``."""

    Config: ClassVar[type[BaseModel]] = FilesConfig
    jars: ClassVar[tuple[str, ...]] = ()
    needs_spark: ClassVar[bool] = False

    @classmethod
    def extras_of(cls, options: Mapping[str, Any]) -> dict[str, str]:
        """Return the extra that the source's format needs, with the key that asks for it."""
        format_ = options.get("format")
        return format_of(format_).extra_of(options) if isinstance(format_, str) and format_ in FORMATS else {}

    @classmethod
    def located(
        cls, config: FilesConfig, name: str, stores: Mapping[str, Mapping[str, Any]], root: Path
    ) -> FilesConfig:
        """Return the config with its landing zone, and with where its objects are.

        Raises
        ------
        ConfigError
            LL-CONF-004, LL-CONF-008 for wrong settings of the store.
        """
        place = None
        if is_address(config.path):
            address = Address.parse(config.path, f"sources.{name}.path")
            place = objects.Place(address, opening(address, stores), root, f"landing/{name}")
        return config.located(root / "landing" / name, place)

    @classmethod
    def limited(cls, config: FilesConfig, seconds: int) -> FilesConfig:
        """Return the config with the store's client told to give a silent line up after so long at most."""
        place = config.place
        if place is None:
            return config
        store = place.opening.config
        times = {name: min(getattr(store, name), float(seconds)) for name in ("connect_s", "read_s")}
        shorter = replace(place, opening=replace(place.opening, config=store.model_copy(update=times)))
        return config.located(config.zone, shorter)

    @classmethod
    def poll(
        cls,
        config: FilesConfig,
        landed: Sequence[Batch],
        clock: datetime,
        spark: Callable[[], SparkSession],
        base: Path,
    ) -> Batch | None:
        """Return the new and changed files, or None.

        Raises
        ------
        SourceError
            LL-SOURCE-001 where the folder or a file can't be opened, or a plain path never was there.
        """
        del clock
        if config.place is not None:
            return objects.poll(config.place, landed, changed=config.changed, vanished=config.vanished)
        listed = listing.find(config.path, base)
        if not listed and not landed and not any(sign in config.path for sign in "*?["):
            raise SourceError("LL-SOURCE-001", f"there is no file '{config.path}'", fix="mend the path")
        listed, refused = listing.spelt(listed)
        new = ledger.fresh(listed, landed)
        if not new:
            return None
        if isinstance(spark, Opener):
            spark.soon()  # it is needed after the inspection, and takes as long
        found = _inspect_all(new, config.reading_at(base), spark, base)
        return refused | _batch(found, landed, config.reading) if found else None

    @classmethod
    def bring(
        cls,
        config: FilesConfig,
        batch: Batch,
        landed: Callable[[], Sequence[Batch]],
        spark: Callable[[], SparkSession],
        base: Path,
    ) -> Batch:
        """Fetch a batch's objects and unpack what is packed; one of plain files comes back as it is.

        What is there of another version by now, or can't be had, is left to the next poll; ``refused`` says of the
        latter. Raises as `lakeloom.sources.objects.bring`.

        Parameters
        ----------
        landed : callable
            Gives the batches already landed; called only where something was brought.
        """
        files, reading = ledger.entries(batch), config.reading_at(base)
        more = {name: value for name, value in batch.items() if name not in ("objects", "files")}
        if "objects" in batch and config.place is not None:
            if isinstance(spark, Opener):
                spark.soon()
            if config.access == "direct":
                found, refused = direct.looked(config.place, batch, reading, spark)
                return more | ({"refused": refused} if refused else {}) | _batch(found, landed(), reading)
            brought = objects.bring(config.place, batch, base, spark)
            if brought.refused:
                more["refused"] = [*batch.get("refused", ()), *brought.refused]
            files = _inspect_all(brought.listed, reading, spark, base)
        elif not any(entry.packed for entry in files):
            return batch
        whole = [each for entry in files for each in _unpacked(entry, reading, config.zone, base)]
        return more | _batch(whole, landed(), reading)

    @classmethod
    def bring_again(
        cls,
        config: FilesConfig,
        batch: Batch,
        brought: Batch,
        landed: Callable[[], Sequence[Batch]],
        spark: Callable[[], SparkSession],
        base: Path,
    ) -> Batch:
        """Return what `bring` has made of a batch for a machine that may not have it: the same files at their places.

        What can't be had as it was then is marked, and new to the next poll. Raises as `bring`.
        """
        if all(_is_here(entry, base) for entry in ledger.entries(brought)):
            return brought
        here = {entry.path: entry for entry in ledger.entries(cls.bring(config, batch, landed, spark, base))}
        return brought | {"files": [each.as_dict() for each in ledger.again(ledger.entries(brought), here)]}

    @classmethod
    def read(
        cls, spark: SparkSession, config: FilesConfig, batch: Batch, known: DataFrame | None, base: Path
    ) -> Landing:
        """Read the batch's files; what `known` has stored keeps its types.

        Raises
        ------
        SourceError
            LL-SOURCE-001 where a file of the batch is gone (transient).
        FilesChangedError
            Where one was rewritten since it was listed; `probe` then marks it.
        """
        files, reading = ledger.entries(batch), config.reading_at(base)
        changed = _changed_of(config, files, reading, base) if config.access != "direct" else []
        if not changed:
            made = _landing(spark, config, reading, batch, files, known, base)
            # What Spark has listed by now is what it reads: looked at before, an object could still be another one.
            changed = _changed_of(config, files, reading, base) if config.access == "direct" else []
        if changed:
            raise FilesChangedError(changed)
        # Copies stay as they are, and objects with a footer are read as Spark has listed them.
        if has_footer(format_of(config.format)) if config.access == "direct" else _are_copies(files):
            return made

        def sound() -> None:
            rewritten = _changed_of(config, files, reading, base)
            if rewritten:
                raise FilesChangedError(rewritten)

        by_spark = None if made.by_spark is None else partial(_with_sound, made.by_spark, sound)
        return replace(made, sound=sound, by_spark=by_spark)

    @classmethod
    def probe(cls, spark: SparkSession, config: FilesConfig, batch: Batch, base: Path) -> Batch:
        """Return the batch with a problem set on each file that changed or that Spark can't read, found by halving."""
        reading = config.reading_at(base)
        files = ledger.entries(batch)
        changed = set(_changed_of(config, files, reading, base))
        files = [ledger.passed_over(entry) if entry.path in changed else entry for entry in files]
        for index, entry in enumerate(files):
            if entry.loadable:
                told = format_of(reading.format).fault(listing.full_path(entry.place, base), reading)
                files[index] = replace(entry, problem=told)
        suspects = [index for index, entry in enumerate(files) if entry.loadable]
        for index, why in _halve(spark, config, files, suspects, batch["split_bytes"], base).items():
            files[index] = replace(files[index], problem=f"Spark can't read it ({why})")
        return batch | {"files": [entry.as_dict() for entry in files]}


def _landing(
    spark: SparkSession, config: FilesConfig, reading: Reading, batch: Batch, files: Sequence[FileEntry],
    known: DataFrame | None, base: Path,
) -> Landing:  # fmt: skip
    """Return the landing of files that are what their entries say: plain ones by Arrow, the others by Spark."""
    from lakeloom.sources.typed import stored_types
    from lakeloom.sources.whole import landing

    split = batch["split_bytes"]
    by_spark = partial(landing, spark, reading, config.columns, files, split, base, known)
    if "sample" in batch or config.access == "direct" or is_connect(spark):
        return by_spark()
    found = plain.apart(files, config.columns, stored_types(known))
    if not found:
        return by_spark()
    jobs = plain.jobs(found, reading, split, spark.sparkContext.defaultParallelism, base)
    return replace(by_spark(apart=found), jobs=jobs, by_spark=by_spark)


def _with_sound(made: Callable[[], Landing], sound: Callable[[], None]) -> Landing:
    return replace(made(), sound=sound)


class FilesChangedError(Exception):
    """Files of a batch were rewritten between listing and reading; the answer is `Files.probe`."""


def _batch(found: Sequence[FileEntry], landed: Sequence[Batch], reading: Reading) -> Batch:
    from lakeloom.sources.records import SPLIT_BYTES

    if format_of(reading.format).header_line:
        found = ledger.mark_strangers(found, landed, reading.names)
    files = [entry.as_dict() for entry in ledger.mark_duplicates(found, landed)]
    return {"files": files, "split_bytes": SPLIT_BYTES}


def _inspect_all(
    new: Sequence[listing.Listed], reading: Reading, spark: Callable[[], SparkSession], base: Path
) -> list[FileEntry]:
    jobs = [(each.path, listing.full_path(each.place, base), reading) for each in new]
    tasks = spread(jobs, sum(each.size for each in new), EXECUTORS_FROM_BYTES, _TASKS_A_SLOT, spark)
    if tasks is not None:
        found = tasks.map(lambda job: inspect(*job)).collect()
    else:
        with ThreadPoolExecutor(min(8, (os.cpu_count() or 1) + 1)) as pool:
            found = list(pool.map(lambda job: inspect(*job), jobs))
    refused = next((each for each in found if each is not None and _is_refused(each)), None)
    if refused is not None and refused.problem is not None:
        raise SourceError(
            REFUSED_BY_POLICY.partition(":")[0], f"{refused.path}: {refused.problem.removeprefix(REFUSED_BY_POLICY)}",
            fix="declare the newer schema, or say 'unknown: quarantine' (or ignore) in the source",
        )  # fmt: skip
    return [
        # An object's time is its store's, and not that of its copy.
        replace(entry, mtime_ns=each.mtime_ns, version=each.version, at=each.at) if each.at is not None else entry
        for each, entry in zip(new, found, strict=True)
        if entry is not None
    ]


def _is_refused(entry: FileEntry) -> bool:
    return entry.problem is not None and entry.problem.startswith(REFUSED_BY_POLICY)


def _unpacked(entry: FileEntry, reading: Reading, zone: Path, base: Path) -> list[FileEntry]:
    """Return an entry with those of what it holds behind it; one that is not packed alone."""
    if not entry.packed or entry.problem is not None or entry.duplicate_of is not None:
        return [entry]
    if _changed(replace(entry, packed=False), reading, base):
        return [replace(entry, packed=False, problem=CHANGED)]
    full = Path(listing.full_path(entry.place, base))
    if not has_plain_name(str(full)):
        full = renamed(full, zone / "renamed" / entry.content)
        entry = replace(entry, at=os.path.relpath(full, base.absolute()))
        if not is_packed(str(full), reading):
            again = inspect(entry.path, str(full), reading)
            assert again is not None  # nobody writes there
            return [replace(again, mtime_ns=entry.mtime_ns, version=entry.version, at=entry.at)]
    try:
        coded = "" if is_utf8(reading.encoding) else f"-{reading.encoding}"
        members = unpack(full, zone / "unpacked" / f"{entry.content}{coded}", reading.encoding)
    except PackedError as cause:
        return [replace(entry, packed=False, problem=str(cause))]
    found = []
    for member in members:
        path = f"{entry.path}!/{member.name}" if member.name else entry.path
        each = inspect(path, str(member.file), replace(reading, encoding=UTF8))
        assert each is not None  # nobody writes there
        at = os.path.relpath(member.file, base.absolute())
        found.append(replace(each, mtime_ns=entry.mtime_ns, version=entry.version, at=at))
    if len(found) == 1 and found[0].path == entry.path:  # it is the file itself: listed as it was
        return [replace(found[0], size=entry.size)]
    return [entry, *found]


def _are_copies(files: Sequence[FileEntry]) -> bool:
    return all(entry.at is not None for entry in files)


def _is_here(entry: FileEntry, base: Path) -> bool:
    """Return whether the bytes of an entry are where it says; those in a store, and in a folder, are as they are."""
    return entry.at is None or is_address(entry.at) or Path(listing.full_path(entry.at, base)).is_file()


def _changed_of(config: FilesConfig, files: Sequence[FileEntry], reading: Reading, base: Path) -> list[str]:
    """Return the paths of files that are no longer what their entries pin."""
    if config.access == "direct" and config.place is not None:
        return direct.moved(config.place, files)
    return [entry.path for entry in files if _changed(entry, reading, base)]


def _changed(entry: FileEntry, reading: Reading, base: Path) -> bool:
    """Return whether a file is no longer what its entry pins; equal size and time are trusted."""
    if entry.problem == CHANGED or entry.duplicate_of is not None or entry.packed:
        return False
    full = listing.full_path(entry.place, base)
    try:
        about = Path(full).stat()
    except OSError as cause:
        raise SourceError(
            "LL-SOURCE-001",
            f"{entry.path} was listed and is gone ({type(cause).__name__})",
            fix="put it back, or mount its folder again",
            transient=True,
        ) from cause
    if entry.at is not None or (about.st_size, about.st_mtime_ns) == (entry.size, entry.mtime_ns):
        return False
    now = inspect(entry.path, full, reading)
    return now is None or now.content != entry.content


def _halve(
    spark: SparkSession, config: FilesConfig, files: Sequence[FileEntry], suspects: list[int], split: int, base: Path
) -> dict[int, str]:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    from lakeloom.sources.whole import landing

    if not suspects:
        return {}
    try:
        chosen = [files[index] for index in suspects]
        tried = landing(spark, config.reading_at(base), config.columns, chosen, split, base)
        assert tried.shared is not None  # all suspects are loadable
        tried.shared.write.format("noop").mode("overwrite").save()
        return {}
    except (PySparkException, Py4JError) as cause:
        if len(suspects) == 1:
            return {suspects[0]: type(cause).__name__}
    middle = len(suspects) // 2
    halves = [_halve(spark, config, files, half, split, base) for half in (suspects[:middle], suspects[middle:])]
    return halves[0] | halves[1]
