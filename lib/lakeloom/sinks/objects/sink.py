"""Exports to a bucket or folder: objects first, the manifest last, so that a reader has one whole version or the other.

An execution that is killed before the manifest has left objects that no manifest names: the same execution done again
finds those it would put and goes on, and what is left over is taken away once the new manifest stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel

from lakeloom.core.errors import SinkError
from lakeloom.core.names import quoted
from lakeloom.core.secrets import reveal
from lakeloom.objects.address import Address, is_address
from lakeloom.objects.base import Found
from lakeloom.objects.opened import Opening, opening
from lakeloom.objects.transfer import retried
from lakeloom.session.connect import is_connect
from lakeloom.sinks.base import Around, Mode, Sent, Session, Shipment
from lakeloom.sinks.objects.config import ObjectsConfig
from lakeloom.sinks.objects.forms import formed
from lakeloom.sinks.objects.layout import FOLDER, NEWEST, Manifest, Part, epoch_of, manifest_of, stem
from lakeloom.sinks.objects.parts import TOLD, Putting, put_nothing, putter

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_THREADS = 8
_UNWRITABLE = ("http", "https")


class Objects:
    """The sink kind ``objects``."""

    Config: ClassVar[type[BaseModel]] = ObjectsConfig
    words: ClassVar[frozenset[str]] = frozenset({"keep"})

    def __init__(self, config: ObjectsConfig, around: Around) -> None:
        self.config = config
        self._address = _address(reveal(config.path), around.home)
        self.opening: Opening = opening(self._address, around.stores)
        self._store = self.opening.writing()

    @classmethod
    def problems(cls, config: ObjectsConfig, mode: Mode) -> list[tuple[str, str]]:
        """Return what does not go together; see `lakeloom.sinks.base.Sink`."""
        del mode
        path = reveal(config.path)
        if path.partition("://")[0] in _UNWRITABLE:
            return [("path", f"'{path}' is a web server, which takes no objects")]
        if is_address(path) and any(sign in path for sign in "*?["):
            return [("path", f"'{path}' is a pattern, not a folder")]
        return []

    @classmethod
    def columns(cls, config: ObjectsConfig) -> dict[str, tuple[str, ...]]:
        """Return the columns that the config names; see `lakeloom.sinks.base.Sink`."""
        return {"partition_by": config.partition_by, "order_by": config.order_by}

    @classmethod
    def place(cls, config: ObjectsConfig) -> str:
        """Return the folder; see `lakeloom.sinks.base.Sink`."""
        return f"{str(config.path).rstrip('/')}/"

    def settled(self, shipment: Shipment, session: Session) -> Sent | None:
        """Return what this very execution has put there; see `lakeloom.sinks.base.Sink`."""
        del session
        stands = self._newest
        if stands is None or not stands.serves(shipment):
            return None
        return Sent(stands.rows, stands.size_bytes, len(stands.objects))

    def send(self, session: SparkSession, rows: DataFrame, shipment: Shipment) -> Sent:
        """Put the objects, then the manifest; see `lakeloom.sinks.base.Sink`.

        Raises
        ------
        SinkError
            LL-SINK-002 where what it adds to is not what it left there, LL-SINK-003 where the folder is another's.
        """
        before = self._fitting(shipment)
        parts = self._put(session, rows, shipment)
        manifest = self._manifest(rows, shipment, parts, before)
        self._write(manifest_of(shipment.epoch), manifest.text())
        self._write(NEWEST, manifest.text())
        self.__dict__["_newest"] = manifest
        return Sent(manifest.rows, manifest.size_bytes, len(parts))

    def tidy(self, shipment: Shipment, session: Session) -> int:
        """Take away objects that the table now has not; see `lakeloom.sinks.base.Sink`."""
        del session
        stands = self._newest
        if stands is None or not stands.serves(shipment):
            return 0
        kept, own = stands.epochs - {stands.epoch}, {part.key for part in stands.objects}
        own.add(manifest_of(stands.epoch))
        found = self._listed()
        kept |= _in_time(found, self.config, datetime.now(UTC))
        gone = [
            key
            for key in found
            if key not in own and (epoch := epoch_of(key, shipment.export)) is not None and epoch not in kept
        ]
        objects = [key for key in gone if not key.startswith(FOLDER)]
        # The manifests last: what is killed here is found again.
        for keys in (objects, [key for key in gone if key.startswith(FOLDER)]):
            with ThreadPoolExecutor(_THREADS, "delete") as pool:
                for _ in pool.map(self._delete, keys):
                    pass
        return len(objects)

    def _fitting(self, shipment: Shipment) -> Manifest | None:
        """Return the manifest that stands there, where the execution may go on with it."""
        stands = self._newest
        if stands is not None and stands.export != shipment.export:
            raise SinkError(
                "LL-SINK-003", f"{self._shown} is the folder of the export '{stands.export}'", where=self._shown,
                fix="take another folder; or delete its _manifest.json if that export is no more",
            )  # fmt: skip
        if not shipment.adds:
            return None
        if stands is None or (stands.epoch, stands.run) != shipment.last:
            raise SinkError(
                "LL-SINK-002", f"what exports.{shipment.export} put there last is not what stands in {self._shown}",
                where=self._shown, fix=f"lakeloom run exports.{shipment.export} --full-refresh",
            )  # fmt: skip
        return stands

    def _put(self, session: SparkSession, rows: DataFrame, shipment: Shipment) -> list[Part]:
        there = frozenset(key for key in self._listed() if epoch_of(key, shipment.export) == shipment.epoch)
        slots = 1 if is_connect(session) else session.sparkContext.defaultParallelism
        putting = Putting(self.opening, self.config, self._prefix, stem(shipment), there, slots)
        laid = formed(self._laid(rows), self.config)
        told = laid.mapInArrow(putter(putting), TOLD).collect()
        parts = [Part(each["key"], each["rows"], each["size_bytes"], each["md5"]) for each in told]
        if not parts and not shipment.adds:
            parts = [put_nothing(laid.limit(0).toArrow().schema, putting)]
        return sorted(parts, key=lambda part: part.key)

    def _laid(self, rows: DataFrame) -> DataFrame:
        """Return the rows as they are spread over tasks, each partition's together."""
        config, by = self.config, [quoted(name) for name in self.config.partition_by]
        if by:
            rows = rows.repartition(config.objects, *by) if config.objects else rows.repartition(*by)
        elif config.objects:
            rows = rows.coalesce(config.objects) if config.objects == 1 else rows.repartition(config.objects)
        order = [*by, *(quoted(name) for name in config.order_by)]
        return rows.sortWithinPartitions(*order) if order else rows

    def _manifest(
        self, rows: DataFrame, shipment: Shipment, parts: Sequence[Part], before: Manifest | None
    ) -> Manifest:
        count, size = sum(part.rows for part in parts), sum(part.size_bytes for part in parts)
        own = manifest_of(shipment.epoch)
        return Manifest(
            shipment.export, shipment.epoch, shipment.run, shipment.table, shipment.version, shipment.mode,
            self.config.format, shipment.clock, dict(rows.dtypes), count, size, tuple(parts),
            (*(before.manifests if before else ()), own), count + (before.total_rows if before else 0),
            size + (before.total_bytes if before else 0),
        )  # fmt: skip

    @property
    def _prefix(self) -> str:
        return f"{self._address.pattern.rstrip('/')}/"

    @property
    def _shown(self) -> str:
        return self._address.of(self._prefix)

    @cached_property
    def _newest(self) -> Manifest | None:
        content = self._read(NEWEST)
        return None if content is None else Manifest.of(content, f"{self._shown}{NEWEST}")

    def _listed(self) -> dict[str, Found]:
        """Return what lies in the folder: the key below it → what the store tells."""
        if self._folderless:
            return {}
        found = retried(lambda: list(self._store.find(self._prefix)))
        return {each.key.removeprefix(self._prefix): each for each in found}

    def _read(self, key: str) -> bytes | None:
        if self._folderless:
            return None
        whole = self._prefix + key

        def read() -> bytes | None:
            for found in self._store.find(whole):
                if found.key == whole:
                    return self._store.part(found, 0, found.size)
            return None

        content: bytes | None = retried(read)
        return content

    def _delete(self, key: str) -> None:
        retried(lambda: self._store.delete(self._prefix + key))

    def _write(self, key: str, content: bytes) -> None:
        retried(lambda: self._store.put(self._prefix + key, content))

    @property
    def _folderless(self) -> bool:
        """Whether nothing was put there yet: a bucket has no folders, a file system has none before."""
        return self.opening.scheme == "file" and not (Path("/") / self._address.bucket / self._prefix).is_dir()


def _address(path: str, home: Path) -> Address:
    if is_address(path):
        return Address.parse(path, "exports")
    place = (home / path).absolute()
    return Address("file", "", place.as_posix().lstrip("/"))


def _in_time(found: Mapping[str, Found], config: ObjectsConfig, now: datetime) -> set[int]:
    """Return the executions whose objects stay for a while: until so long after the next one's manifest was put."""
    if config.keep is None:
        return set()
    since = now - timedelta(seconds=config.keep.seconds)
    put = sorted((epoch_of(key, "") or 0, each.changed) for key, each in found.items() if key.startswith(FOLDER))
    return {epoch for (epoch, _), (_, replaced) in pairwise(put) if replaced > since}
