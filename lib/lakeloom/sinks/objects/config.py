"""What an export to objects may say."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from lakeloom.core.secrets import Secret
from lakeloom.tables.upkeep import Size
from lakeloom.tables.words import DurationText, Strict

Format = Literal["parquet", "csv", "json"]
Compression = Literal["none", "snappy", "gzip", "zstd"]
_ENDINGS = {"gzip": ".gz", "zstd": ".zst"}


class ObjectsConfig(Strict):
    """Where the objects are put, and as what.

    Attributes
    ----------
    path : str
        The address of a folder in a bucket (``s3://bucket/daily/``), ``sftp://…``, ``file:///…``, or a path from the
        home on.
    format : {'parquet', 'csv', 'json'}
        ``json`` is a line a row.
    compression : {'none', 'snappy', 'gzip', 'zstd'}, optional
        Snappy for Parquet, none for text, by default.
    partition_by : tuple of str
        Columns whose values stand in the objects' names (``day=2026-01-05/``) and not in the objects.
    order_by : tuple of str
        Columns by which the rows of an object are in order.
    header : bool
        Of CSV: the columns' names as the first line.
    delimiter : str
        Of CSV, one character.
    objects : int, optional
        So many objects, or in each partition at most so many; by default as many as tasks write.
    size : int
        An object is ended beyond so many bytes before compression, and another one begun.
    keep : Duration, optional
        How long objects stay that no longer belong to what is exported; without it they go at once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    path: str | Secret
    format: Format = "parquet"
    compression: Compression | None = None
    partition_by: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()
    header: bool = True
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    objects: int | None = Field(default=None, ge=1, le=10_000)
    size: Size = 256 << 20
    keep: DurationText | None = None

    @model_validator(mode="after")
    def _fits(self) -> ObjectsConfig:
        if self.compression == "snappy" and self.format != "parquet":
            raise ValueError(f"compression: snappy is none of {self.format}: take gzip, zstd or none")
        if self.delimiter in '"\r\n':
            raise ValueError("delimiter: neither a quote nor the end of a line can stand between values")
        if len(set(self.partition_by)) < len(self.partition_by):
            raise ValueError("partition_by: a column stands there twice")
        return self

    @property
    def packed(self) -> Compression:
        """The compression that holds."""
        return self.compression or ("snappy" if self.format == "parquet" else "none")

    @property
    def ending(self) -> str:
        """What the objects' names end with."""
        return f".{self.format}{_ENDINGS.get(self.packed, '') if self.format != 'parquet' else ''}"
