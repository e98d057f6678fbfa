"""What needs credentials is done once more where they were renewed meanwhile: in the midst of a step too.

Secrets are resolved whenever a source is opened, and what a vault gave holds for some minutes. Who is refused has the
vaults asked anew. With other secrets the work is done again; with the same ones it is not, since a database may lock
an account after a few refusals.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TypeVar

from lakeloom.config.vaults.asked import forget
from lakeloom.core.errors import LakeloomError

REFUSED = "LL-SOURCE-002"
Opened = TypeVar("Opened")
Made = TypeVar("Made")


def renewed(
    opened: Callable[[], Opened],
    work: Callable[[Opened], Made],
    *,
    lacks: Callable[[Made], bool] = lambda _: False,
    same: Callable[[Opened, Opened], bool] = operator.eq,
) -> Made:
    """Do the work with what is opened; once more where it is refused and its secrets are others by now.

    Parameters
    ----------
    opened : callable
        Resolves the secrets.
    lacks : callable, optional
        Whether what was made lacks something for want of rights: then it is made again in the same way.
    same : callable
        Whether what it gave twice has the same ones.

    Raises
    ------
    LakeloomError
        What the work raises, LL-SOURCE-002 where the new secrets are refused too.
    """
    first = opened()
    try:
        made = work(first)
    except LakeloomError as error:
        if error.code != REFUSED:
            raise
        forget()
        again = opened()
        # A token of the SDK's own chain has expired: the next client asks the chain anew.
        if same(first, again) and not error.transient:
            raise
        return work(again)
    if lacks(made):
        forget()
        again = opened()
        return made if same(first, again) else work(again)
    return made
