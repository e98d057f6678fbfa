"""An object that only one of several may put: whoever asks again after a lost answer finds what it has put itself.

A client tries again where a line breaks after the store has done what was asked. The second try is then refused for
the sake of the first, and looks like another writer's. So what is there is compared with what was to be put: callers
put what nobody else puts, by a run's name or a process's.
"""

from __future__ import annotations

from lakeloom.core.errors import SourceError
from lakeloom.objects.base import RootStore, TakenError


def claimed(store: RootStore, key: str, content: bytes, *, over: str | None = None) -> str:
    """Put an object where nothing lies, or only over a version; return its version.

    Raises
    ------
    TakenError
        Where something else lies there.
    SourceError
        LL-SOURCE-001, LL-SOURCE-002 as the store says.
    """
    try:
        return store.put(key, content, new=over is None, over=over)
    except TakenError:
        version = _own(store, key, content)
        if version is None:
            raise
    except SourceError as error:
        version = _own(store, key, content) if error.transient else None
        if version is None:
            raise
    return version


def _own(store: RootStore, key: str, content: bytes) -> str | None:
    """Return the version of what lies there where it is this content, else None."""
    found = store.head(key)
    return found.version if found is not None and store.get(key) == content else None
