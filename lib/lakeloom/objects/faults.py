"""What clients of stores raise → coded errors that show no credential and no signed address."""

from __future__ import annotations

from lakeloom.core.errors import SourceError

# What clients raise at an answer that ends amid its headers: Python's HTTP takes it for one without the others, and
# without a body.
CUT_OFF = (AttributeError, KeyError, TypeError, ValueError)


def denied(place: str) -> SourceError:
    """Return the error for a store that refuses the credentials, or what they may do."""
    return SourceError(
        "LL-SOURCE-002", f"the store refuses: {place}", where=place,
        fix="check the credentials in 'stores:' or of the machine, and what they may do there",
    )  # fmt: skip


def expired(place: str, *, transient: bool) -> SourceError:
    """Return the error for credentials whose time is up.

    Parameters
    ----------
    transient : bool
        Whether the next client finds others, by a chain of its own.
    """
    return SourceError(
        "LL-SOURCE-002", f"the store refuses: the token for {place} has expired", where=place,
        fix="renew what 'stores:' names, or leave it to the SDK's own chain; what came already is kept",
        transient=transient,
    )  # fmt: skip


def absent(place: str) -> SourceError:
    """Return the error for a bucket, container or host that is not there."""
    return SourceError("LL-SOURCE-001", f"there is no {place}", where=place, fix="mend the address, or make it")


def unreachable(place: str, cause: BaseException | str) -> SourceError:
    """Return the error for a store that can't be reached, or answers with a fault of its own: it may pass."""
    told = cause if isinstance(cause, str) else type(cause).__name__
    return SourceError(
        "LL-SOURCE-001", f"{place} can't be read ({told})", where=place,
        fix="see whether the store is up; mend its endpoint in 'stores:'", transient=True,
    )  # fmt: skip


def cut_off(place: str) -> SourceError:
    """Return the error for an answer of a store of which a part is missing: its line broke off, which may pass."""
    return unreachable(place, "its answer was cut off")


def unverified(place: str) -> SourceError:
    """Return the error for a host that can't prove to be the one that is meant."""
    return SourceError(
        "LL-SOURCE-012", f"the host key of {place} is not known, or another one than is known", where=place,
        fix="add it to the file that 'known_hosts' in 'stores:' names, after comparing it with its owner's",
    )  # fmt: skip


def incapable(place: str) -> SourceError:
    """Return the error for a server that lacks what keeps readers from seeing half of a file."""
    return SourceError(
        "LL-SOURCE-004", f"the server can't put {place} in another's place at once (it lacks posix-rename)",
        where=place, fix="write to another server, or by other means",
    )  # fmt: skip


def unwritable(place: str, cause: OSError | str) -> SourceError:
    """Return the error for a place where no file can be put: a full disk, a folder that is a file."""
    told = cause if isinstance(cause, str) else cause.strerror or type(cause).__name__
    return SourceError(
        "LL-SOURCE-001", f"{place} can't be written ({told})", where=place,
        fix="free the disk, or mend the address", transient=True,
    )  # fmt: skip
