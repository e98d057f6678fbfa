"""Every error that lakeloom raises on purpose.

::

    LakeloomError             code, message, where, fix, transient
    ├── ConfigError           LL-CONF     what stands in conf/ is wrong            exit 2
    │                         LL-TEST     a project's own tests                    exit 2
    ├── SourceError           LL-SOURCE   a source can't be reached or read
    ├── TableError            LL-TABLE    a table's contract, keys or columns
    │   └── ContractError     LL-TABLE    a change that would break it for its readers
    ├── StreamError           LL-STREAM   a streaming query, what it remembers
    ├── RuleError             LL-RULE     a rule failed at level ``fail``
    ├── FixError              LL-FIX      what is done about quarantined rows
    ├── CleansingError      LL-CLEAN    a verb that cleanses rows
    ├── StoreError            LL-STORE    the storage root, a version, a commit
    ├── LineageError          LL-LINEAGE  what a row or column comes from
    ├── FeatureError          LL-FEATURE  feature views and point-in-time joins
    ├── TrainError            LL-TRAIN    datasets, training, tuning, registry
    ├── RunError              LL-RUN      the runner: selection, locks, recovery
    ├── BranchError           LL-BRANCH   branches: made, run, promoted
    ├── ExportError           LL-EXPORT   what is written for another scheduler
    ├── SinkError             LL-SINK     where rows are exported to
    └── SetupError            LL-SETUP    the machine: JDK, jars, missing extras

Messages never carry a secret or a row's values: what is wrong is told by names, counts and types.
The catalogue of codes with what to do about each is `lakeloom.core.codes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lakeloom.core.codes import CODES
from lakeloom.core.secrets import mask


class LakeloomError(Exception):
    """An error with a code, a place and a fix.

    Parameters
    ----------
    code : str
        A key of `lakeloom.core.codes.CODES`, such as ``LL-TABLE-003``.
    message : str
        What is wrong with which value, and which values are valid.
    where : str
        The place: ``file:line  path`` in the config, a step, a table or a file.
    fix : str
        What to do about it.
    transient : bool
        True where trying again may help; the runner then retries with backoff.
    """

    exit_code = 1

    def __init__(self, code: str, message: str, *, where: str = "", fix: str = "", transient: bool = False) -> None:
        if code not in CODES:
            raise KeyError(f"{code} is not in lakeloom.core.codes")
        self.code = code
        self.message = mask(message)
        self.where = mask(where)
        self.fix = mask(fix)
        self.transient = transient
        super().__init__(self.code, self.message)

    def __str__(self) -> str:
        head = f"{self.code}  {self.where}" if self.where else self.code
        lines = [head, f"  {self.message}"]
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.as_dict(), self.transient))

    def as_dict(self) -> dict[str, str]:
        """Return code, where, message and fix, for ``--json``."""
        return {"code": self.code, "where": self.where, "message": self.message, "fix": self.fix}


def _rebuild(kind: type[LakeloomError], fields: dict[str, str], transient: bool) -> LakeloomError:
    return kind(
        fields["code"],
        fields["message"],
        where=fields["where"],
        fix=fields["fix"],
        transient=transient,
    )


class ConfigError(LakeloomError):
    """What stands in ``conf/`` is wrong; nothing was started."""

    exit_code = 2


class SourceError(LakeloomError):
    """A source can't be reached or read."""


class TableError(LakeloomError):
    """A table's contract, keys or columns do not fit the data."""


class ContractError(TableError):
    """A change would break what readers of published tables lean on; nothing was written.

    Attributes
    ----------
    broken : tuple of dict
        table, column, what, owner, reached: as ``plan --json`` has them.
    """

    def __init__(self, code: str, message: str, *, broken: Sequence[dict[str, Any]] = (), **more: Any) -> None:
        super().__init__(code, message, **more)
        self.broken = tuple(broken)


class StreamError(LakeloomError):
    """A streaming query, or what it remembers."""


class RuleError(LakeloomError):
    """A rule at level ``fail`` was broken; nothing was published.

    Attributes
    ----------
    results : tuple of dict
        What the rules that were judged together had found, as executions record it.
    """

    results: tuple[dict[str, Any], ...] = ()


class FixError(LakeloomError):
    """A fix of quarantined rows is wrong, or they can't be replayed."""


class CleansingError(LakeloomError):
    """A cleansing verb's arguments, what it meets in a frame, or a value that it was to fail on."""


class StoreError(LakeloomError):
    """The storage root, a version or a commit."""


class LineageError(LakeloomError):
    """What a row or column comes from."""


class FeatureError(LakeloomError):
    """A feature view or a point-in-time join."""


class TrainError(LakeloomError):
    """A dataset, a training, a tuning or the registry."""


class RunError(LakeloomError):
    """The runner: selection, locks, recovery."""


class BranchError(LakeloomError):
    """A branch: making it, running on it, promoting it."""


class ExportError(LakeloomError):
    """What is written for another scheduler: a bundle, a DAG, submit commands."""


class SinkError(LakeloomError):
    """A bucket, folder or database that rows are exported to."""


class SetupError(LakeloomError):
    """The machine: a JDK, a jar or an extra is missing."""
