"""One dataset at one version: what a model was or can be trained on, as Arrow or pandas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lakeloom.api.table import Table
from lakeloom.core.errors import TrainError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Dataset:
    """A dataset at a fixed version.

    Attributes
    ----------
    name : str
    features : tuple of str
        The columns that models may use, in the declared order.
    table : Table
        The rows of all splits, and those in none.
    """

    name: str
    features: tuple[str, ...]
    table: Table

    @property
    def version(self) -> int:
        """The version in Delta's log."""
        return self.table.version

    @cached_property
    def inputs(self) -> dict[str, int]:
        """Table → version that this version was made of, from the commit's manifest; empty where it has none."""
        for entry in self.table.history():
            if entry["version"] <= self.version and entry["manifest"].get("reads"):
                return dict(entry["manifest"]["reads"])
        return {}

    @cached_property
    def rows(self) -> dict[str, int]:
        """Split → number of rows; ``none`` holds those without a label or outside every split."""
        import pyarrow.compute as pc

        counted = pc.value_counts(self.table.arrow(["_split"]).column("_split")).to_pylist()
        return {entry["values"]: entry["counts"] for entry in counted}

    def split(self, name: str) -> pa.Table:
        """Return the labelled rows of a split.

        Parameters
        ----------
        name : {'train', 'valid', 'test'}

        Returns
        -------
        pyarrow.Table
            ``_row`` (by which it is sorted), ``label`` (double) and the features.

        Raises
        ------
        TrainError
            LL-TRAIN-001 for another name, and for a split without labelled rows.
        """
        from lakeloom.training.loader import Pinned, read_split

        if name not in SPLITS:
            raise TrainError("LL-TRAIN-001", f"there is no split '{name}'", fix=f"use one of {', '.join(SPLITS)}")
        return read_split(Pinned(self.table.path, self.version, self.features), name)

    def pandas(self, name: str) -> pd.DataFrame:
        """Return the labelled rows of a split as a pandas frame; see `split`."""
        return self.split(name).to_pandas()
