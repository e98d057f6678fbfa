"""How many connections one run has open to a database at once, over all its sources."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

_open: Counter[str] = Counter()
_freed = threading.Condition()


@contextmanager
def counted(url: str, number: int, most: int | None) -> Iterator[None]:
    """Wait until `number` connections may be opened, and count them until the block ends.

    Parameters
    ----------
    url : str
        Of the database; what stands behind ``?`` or ``;`` makes no other one of it.
    most : int or None
        The limit that the source knows of; None for none: its connections count for others all the same.
    """
    place = url.partition("?")[0].partition(";")[0]
    number = number if most is None else min(number, most)
    with _freed:
        _freed.wait_for(lambda: most is None or _open[place] + number <= most)
        _open[place] += number
    try:
        yield
    finally:
        with _freed:
            _open[place] -= number
            _freed.notify_all()
