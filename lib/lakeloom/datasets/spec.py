"""Datasets as the config declares them: labels, one as-of time, features, splits.

``as_of`` stands here once, for every feature: what became known later can't get in. Shorthand is
spelled out on reading: ``carrier`` is ``{column: carrier}``, ``weather.*`` is ``{view: weather}`` and
``weather.temp`` is ``{view: weather, columns: [temp]}``, so that code meets one form only.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from lakeloom.core.names import TAG
from lakeloom.datasets.splits import SplitSpec
from lakeloom.features.spec import DurationText, FeatureView, Identifier, Output, Sql, TableText


class LabelSpec(BaseModel):
    """Where labels come from.

    Attributes
    ----------
    source : str
        The label table (``from`` in the config), ``layer.name``.
    value : str
        SQL, a number or a boolean.
    where : str, optional
        SQL; rows where it is not true stay, without a label and in no split, so that they can be scored.
    keys : tuple of str
        The columns that tell the rows apart; checked to be unique.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    source: TableText = Field(alias="from")
    value: Sql
    where: Sql | None = None
    keys: tuple[Identifier, ...] = Field(min_length=1)


class FeatureUse(BaseModel):
    """One entry of ``features``: a column of the label table, or a view.

    Attributes
    ----------
    column : str, optional
        A bare column of the label table.
    view : str, optional
        A feature view.
    columns : tuple of str
        What of the view: its columns (with all their aggregates) or single outputs; all where empty.
    on : mapping
        The view's key to the label table's column, where the names differ.
    prefix : str, optional
        Instead of the view's name in ``<view>__<output>``.
    lag : Duration, optional
        Look this much before the as-of time, for trends.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: Identifier | None = None
    view: Identifier | None = None
    columns: tuple[str, ...] = ()
    on: dict[Identifier, Identifier] = {}
    prefix: Identifier | None = None
    lag: DurationText | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> FeatureUse:
        if (self.column is None) == (self.view is None):
            raise ValueError("give either a column or a view")
        if self.column is not None and (self.columns or self.on or self.prefix or self.lag):
            raise ValueError("columns, on, prefix and lag belong to a view")
        return self

    @property
    def name(self) -> str:
        """What stands before ``__`` in the names of the view's columns."""
        return self.prefix or self.view or ""

    def outputs(self, view: FeatureView) -> tuple[Output, ...]:
        """Return what is used of `view`; raises KeyError with a name that it does not give."""
        return view.select(self.columns)


def _spell_out(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    view, dot, column = value.partition(".")
    if not dot:
        return {"column": value}
    return {"view": view} if column == "*" else {"view": view, "columns": [column]}


_Use = Annotated[FeatureUse, BeforeValidator(_spell_out, json_schema_input_type=str | FeatureUse)]


class SampleSpec(BaseModel):
    """Keep a share of the rows, chosen by a hash of their keys: the same rows at every build."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(gt=0, le=1)
    seed: int = 0


class DatasetSpec(BaseModel):
    """Labels joined to what was known as of a time.

    Attributes
    ----------
    labels : LabelSpec
    as_of : str
        SQL over the label table, of type TIMESTAMP.
    features : tuple of FeatureUse
    derive : mapping
        Name to SQL over the features, the label table's columns that have an availability time, and
        ``_as_of``; later ones see earlier ones.
    split : SplitSpec
    sample : SampleSpec, optional
    at : str, optional
        A tag: the dataset is made of the versions that it names, whatever has come to the tables since.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: LabelSpec
    as_of: Sql
    features: tuple[_Use, ...] = Field(min_length=1)
    derive: dict[Identifier, Sql] = {}
    split: SplitSpec
    sample: SampleSpec | None = None
    at: Annotated[str, Field(pattern=TAG)] | None = None
    owner: str = ""
    description: str = ""

    @property
    def views(self) -> tuple[str, ...]:
        """The feature views that it reads, each once, in order."""
        return tuple(dict.fromkeys(use.view for use in self.features if use.view))

    @property
    def columns(self) -> tuple[str, ...]:
        """The bare columns of the label table among the features, each once, in order."""
        return tuple(dict.fromkeys(use.column for use in self.features if use.column))
