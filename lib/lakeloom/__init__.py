"""lakeloom: one declarative project takes data from any source to a tuned, traceable model.

>>> import lakeloom
>>> lake = lakeloom.open("conf/flights")      # doctest: +SKIP
>>> lake.table("silver.flights").arrow()      # doctest: +SKIP

The names below are loaded when they are first used: importing the package takes milliseconds and
brings in neither Spark nor pandas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakeloom.core.release import RELEASE

if TYPE_CHECKING:
    from lakeloom.api.dataset import Dataset
    from lakeloom.api.lakehouse import Lakehouse
    from lakeloom.api.lakehouse import open_lakehouse as open  # noqa: A004 - the package's verb, as in gzip.open
    from lakeloom.api.model import Model
    from lakeloom.api.table import Table
    from lakeloom.core.errors import LakeloomError

__version__ = RELEASE
__all__ = ["Dataset", "Lakehouse", "LakeloomError", "Model", "Table", "__version__", "open"]

_PUBLIC = {
    "open": "lakeloom.api.lakehouse:open_lakehouse",
    "Lakehouse": "lakeloom.api.lakehouse:Lakehouse",
    "Table": "lakeloom.api.table:Table",
    "Dataset": "lakeloom.api.dataset:Dataset",
    "Model": "lakeloom.api.model:Model",
    "LakeloomError": "lakeloom.core.errors:LakeloomError",
}


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'lakeloom' has no attribute '{name}'")
    import importlib

    module, _, attribute = _PUBLIC[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
