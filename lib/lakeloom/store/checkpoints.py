"""What a streaming query remembers between executions, and the folder in which one execution works.

``<root>/streams/<step>/<epoch>/``:

``feed/<input>``
    The rows that the execution takes, as Parquet.
``work``
    The query's checkpoint while it runs; it begins as a copy of the last published execution's.
``out/<batch>``
    What the query gave out.
``checkpoint``
    What the query remembers after it has ended. It is put there whole, by a rename: where it stands, ``out`` is
    complete, and a replay goes on from there. It is never written again.

An execution that fails or is given up leaves a folder that nobody reads, and the next one begins again with
what the last *published* execution left. Spark's own recovery within a query is not needed for it.
The files of a checkpoint are written once, so a copy is made of hard links.

Source: the form of Spark's ``OffsetSeqLog`` and ``CommitLog`` (a line ``v1``, then JSON).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from lakeloom.core.errors import StoreError, StreamError
from lakeloom.objects.path import Location, beside

# Spark's state stores clean up beside us: what was listed may be gone a moment later.
_TRIES = 20


@dataclass(frozen=True)
class Workplace:
    """The folder of one execution of a streaming table."""

    folder: Path

    @classmethod
    def of(cls, root: Location, step: str, epoch: int) -> Workplace:
        """Return the place of a step's epoch under a storage root."""
        return cls(_steps_folder(root, step) / f"{epoch:08d}")

    @property
    def work(self) -> Path:
        """The checkpoint of the query while it runs."""
        return self.folder / "work"

    @property
    def checkpoint(self) -> Path:
        """The checkpoint that the query has left."""
        return self.folder / "checkpoint"

    def feed(self, table: str) -> Path:
        """Return where an input's rows are laid out."""
        return self.folder / "feed" / table

    def out(self, batch: int | None = None) -> Path:
        """Return where the query's rows go, or those of one of its batches."""
        return self.folder / "out" if batch is None else self.folder / "out" / f"{batch:08d}"

    @property
    def complete(self) -> bool:
        """Whether the query has ended well, and all that it gave out is there."""
        return self.checkpoint.is_dir()

    def begin(self, base: Workplace | None) -> None:
        """Clear the place, and lay out what the query remembers from `base`, the last published execution.

        Raises
        ------
        StreamError
            LL-STREAM-004 where that is gone.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            self.folder.mkdir(parents=True)
            self.out().mkdir()
        except OSError as cause:
            raise StoreError(
                "LL-STORE-004", f"the storage root can't be written ({cause.strerror})", where=str(self.folder),
                fix="free the disk or mend the rights",
            ) from cause  # fmt: skip
        if base is not None:
            if not base.complete:
                raise StreamError("LL-STREAM-004", "what the stream remembers is gone", fix="run again")
            _link(base.checkpoint, self.work)

    def end(self) -> None:
        """Keep what the query remembers: from now on this execution need not run its query again."""
        draft = self.folder / "checkpoint.draft"
        for attempt in range(_TRIES):
            shutil.rmtree(draft, ignore_errors=True)
            try:
                _link(self.work, draft)
                break
            except (FileNotFoundError, shutil.Error):
                if attempt == _TRIES - 1:
                    raise
        draft.replace(self.checkpoint)
        shutil.rmtree(self.work, ignore_errors=True)

    def tidy(self) -> None:
        """Remove what is needed no more once the execution has been published, and all other executions'."""
        for entry in self.folder.parent.iterdir():
            if entry != self.folder:
                shutil.rmtree(entry, ignore_errors=True)
        for entry in self.folder.iterdir():
            if entry == self.checkpoint:
                continue
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)


def batch_of(checkpoint: Path) -> int:
    """Return the last batch that a checkpoint has committed, -1 for none."""
    return max(_numbers(checkpoint / "commits"), default=-1)


def watermark_ms(checkpoint: Path) -> int:
    """Return the watermark that the next batch begins with, in milliseconds since 1970; 0 before the first one."""
    batch = batch_of(checkpoint)
    if batch < 0:
        return 0
    lines = (checkpoint / "commits" / str(batch)).read_text(encoding="utf-8").splitlines()
    return int(json.loads(lines[1])["nextBatchWatermarkMs"])


def taken(checkpoint: Path, since: Path | None) -> set[str]:
    """Return the names of the files that a query has taken beyond those that the checkpoint `since` knows."""
    found = set()
    for log in (checkpoint / "sources").glob("*/*"):
        if log.name.startswith(".") or (since is not None and (since / log.relative_to(checkpoint)).exists()):
            continue
        for line in log.read_text(encoding="utf-8").splitlines()[1:]:
            found.add(json.loads(line)["path"].rpartition("/")[2])
    return found


def fingerprint(checkpoint: Path) -> str:
    """Return 16 hexadecimal digits over a checkpoint: all names and sizes, and what stands in its small logs.

    The state itself is not read: Spark keeps a checksum beside each of its files.
    """
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(path for path in checkpoint.rglob("*") if path.is_file()):
        name = file.relative_to(checkpoint)
        digest.update(f"{name} {file.stat().st_size}\n".encode())
        if name.parts[0] != "state":
            digest.update(file.read_bytes())
    return digest.hexdigest()


def damage(root: Location, step: str, epoch: int, told: str) -> str | None:
    """Return in words what is wrong with the checkpoint that an execution left, None where nothing is.

    Parameters
    ----------
    told : str
        Its fingerprint, from the facts of the execution.
    """
    place = Workplace.of(root, step, epoch)
    if not place.complete:
        return f"what its stream remembered after epoch {epoch} is gone"
    if fingerprint(place.checkpoint) != told:
        return f"what its stream remembers is not what epoch {epoch} left"
    return None


def _steps_folder(root: Location, step: str) -> Path:
    return beside(root) / "streams" / step


def _numbers(folder: Path) -> list[int]:
    return [int(file.name) for file in folder.iterdir() if re.fullmatch(r"\d+", file.name)] if folder.is_dir() else []


def _link(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=_linked)


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without links
        shutil.copy2(source, target)
