"""The rules of `check` on streaming tables: what a declaration lacks, and what does not go together, without Spark."""

from __future__ import annotations

from collections.abc import Iterator

from lakeloom.project.checks.problem import Problem, Schemas, columns_of, hint
from lakeloom.project.graph import source_of
from lakeloom.project.spec import Project
from lakeloom.tables.spec import TableSpec
from lakeloom.tables.streaming import WRITES, StreamSpec

CODE = "LL-STREAM-001"
# How a function names timers that go off by the machine's clock.
_TIMERS = ("ProcessingTimeTimeout", '"ProcessingTime"', "'ProcessingTime'")


def streams_fit(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """A streaming table has new rows to take, a way to write what comes out, and watermarks on columns there are."""
    for name, table in project.tables.items():
        if table.stream is not None:
            path = ("tables", name, "stream")
            yield from _goes_together(table, table.stream, path)
            yield from _writes(table, table.stream, path)
            yield from _watermarks(project, table.stream, table, path, schemas)
            if any(word in source_of(table.function) for word in _TIMERS):
                message = "a timer by the machine's clock would go off differently in a replay"
                yield Problem((*path[:-1], "function"), CODE, message, "take timers by event time")


def _goes_together(table: TableSpec, stream: StreamSpec, path: tuple[str, ...]) -> Iterator[Problem]:
    if "new" not in table.from_.values():
        yield Problem(path, CODE, "no input is read as new: nothing streams", "write 'new' beside one under from:")
    for source, mode in table.from_.items():
        if mode == "changes":
            message = f"{source} is read as changes, which do not stream"
            yield Problem((*path[:-1], "from", source), CODE, message, "read it new or whole")
    for word in ("changes", "resolve"):
        if getattr(table, word) is not None:
            yield Problem((*path[:-1], word), CODE, f"{word}: does not stream", "give sql: or function:")
    if table.on_change == "forward":
        message = "what the query remembers belongs to its code: on_change: forward can't hold"
        yield Problem((*path[:-1], "on_change"), CODE, message, "remove on_change:")
    if stream.static == "forward" and "whole" not in table.from_.values():
        yield Problem((*path, "static"), CODE, "no input is read whole", "remove static:")


def _writes(table: TableSpec, stream: StreamSpec, path: tuple[str, ...]) -> Iterator[Problem]:
    write = table.write
    if write.mode not in WRITES[stream.output] or write.snapshot_by:
        what = f"mode {write.mode}" if write.mode not in WRITES[stream.output] else "snapshot_by"
        message = f"output {stream.output} can't be written by {what}"
        fix = "add write: {mode: merge} and keys:" if stream.output == "update" else "add write: {mode: append}"
        yield Problem((*path[:-1], "write"), CODE, message, fix)


def _watermarks(
    project: Project, stream: StreamSpec, table: TableSpec, path: tuple[str, ...], schemas: Schemas
) -> Iterator[Problem]:
    for source, watermark in stream.watermarks.items():
        here = (*path, "watermarks", source)
        if source not in table.from_:
            yield Problem(here, CODE, f"{source} is not under 'from'", hint(source, table.from_) or "remove it")
            continue
        if table.from_[source] != "new":
            yield Problem(here, CODE, f"{source} is read {table.from_[source]}: it has no watermark", "remove it")
            continue
        columns = columns_of(project, source, schemas)
        if columns is not None and watermark.column not in columns:
            fix = hint(watermark.column, columns) or "name one of its columns"
            message = f"column '{watermark.column}' is not in {source}"
            yield Problem((*here, "column"), "LL-TABLE-003", message, fix)
