"""Files → numbered records: every format gives raw columns, the raw text and what is wrong with it.

A record's number is its split's first byte plus its index in the split, so it is unique in the file,
sorts as the file does and depends on the file alone: Spark is told to make each split a partition of
its own, of a size pinned in the batch. (A text record has at least a byte; Parquet tells its row
numbers itself.) Numbers are given before anything is filtered.

Every value is read as text, then cast: a value that does not fit its declared type names its column
among the reasons, and nothing turns NULL in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakeloom.core.errors import SourceError
from lakeloom.core.names import quoted
from lakeloom.sources.columns import stored_name
from lakeloom.sources.inspection import Reading
from lakeloom.sources.listing import spark_path

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

SPLIT_BYTES = 128 << 20
CORRUPT, RAW, REASONS = "_corrupt_record", "_raw", "_reasons"
MARKS = ("_path", "_record", RAW, REASONS)
_INDEX_BITS = (1 << 33) - 1  # monotonically_increasing_id: partition in the upper bits, index in the lower 33
_ROWS_A_BYTE = 1024
_CSV = {"escape": '"', "mode": "PERMISSIVE", "columnNameOfCorruptRecord": CORRUPT}


@dataclass(frozen=True)
class Group:
    """Files that are read together, since they have the same columns.

    Attributes
    ----------
    paths : tuple of str
        Full paths.
    header : tuple of str
        The columns as the files name them; for Parquet ``name<TAB>type``, for XML ``name[]`` where it repeats.
    """

    paths: tuple[str, ...]
    header: tuple[str, ...]


def pin_splits(spark: SparkSession, split_bytes: int) -> None:
    """Make each split of a file a partition of its own; settings of the step's session."""
    spark.conf.set("spark.sql.files.maxPartitionBytes", str(split_bytes))
    spark.conf.set("spark.sql.files.openCostInBytes", str(split_bytes))
    spark.conf.set("spark.sql.files.ignoreCorruptFiles", "false")
    spark.conf.set("spark.sql.files.ignoreMissingFiles", "false")


def read_group(spark: SparkSession, group: Group, reading: Reading, types: Mapping[str, str]) -> DataFrame:
    """Return the records of a group of files.

    Parameters
    ----------
    types : mapping
        Declared Spark types by column; the others are text, in Parquet what the file says.

    Returns
    -------
    DataFrame
        Raw columns, then ``_path`` (URI of the file), ``_record bigint``, ``_raw string`` and ``_reasons
        array<string>``, empty for sound records.
    """
    if reading.format in _WHOLE:
        return _typed(_WHOLE[reading.format](spark, group), types)
    if reading.format == "fixed":
        return _typed(_fixed(spark, group, reading), types)
    if reading.format == "xml":
        return _typed(_xml(spark, group, reading, types), types)
    many_lines = reading.options.get("multiLine", "false") == "true"
    return _typed((_csv_blocks if many_lines else _csv_lines)(spark, group, reading), types)


def _index() -> Column:
    from pyspark.sql import functions as F

    return F.monotonically_increasing_id().bitwiseAND(F.lit(_INDEX_BITS))


def _numbered(frame: DataFrame, *columns: Column) -> DataFrame:
    """Select `columns` with path, record number and index; one projection, so that no filter moves below it."""
    from pyspark.sql import functions as F

    start = F.col("_metadata.file_block_start")
    path = F.col("_metadata.file_path").alias("_path")
    return frame.select(*columns, path, start.alias("_start"), _index().alias("_index"))


def _marks(raw: Column, reason: Column) -> list[Column]:
    from pyspark.sql import functions as F

    return [
        F.col("_path"),
        (F.col("_start") + F.col("_index")).alias("_record"),
        raw.alias(RAW),
        F.array_compact(F.array(reason)).alias(REASONS),
    ]


def _lines(spark: SparkSession, group: Group, *columns: Column) -> DataFrame:
    from pyspark.sql import functions as F

    return _numbered(_files(spark, "text", group.paths), F.col("value"), *columns).where(F.trim("value") != "")


def _files(spark: SparkSession, kind: str, paths: Sequence[str], **more: object) -> DataFrame:
    reader = spark.read.format(kind)
    schema = more.pop("schema", None)
    if isinstance(schema, str):
        reader = reader.schema(schema)
    for key, value in more.items():
        reader = reader.option(key, str(value))
    return reader.load([spark_path(path) for path in paths])


def _csv_lines(spark: SparkSession, group: Group, reading: Reading) -> DataFrame:
    from pyspark.sql import functions as F

    schema = ", ".join([f"c{index} string" for index in range(len(group.header))] + [f"{CORRUPT} string"])
    options = {key: value for key, value in reading.options.items() if key != "header"}
    parsed = F.from_csv(F.col("value"), schema, _CSV | options).alias("parsed")
    lines = _lines(spark, group, parsed)
    if reading.options.get("header", "true") != "false":
        lines = lines.where("NOT (_start = 0 AND _index = 0)")
    if "comment" in reading.options:
        lines = lines.where(~F.col("value").startswith(reading.options["comment"]))
    values = [F.col(f"parsed.c{index}").alias(stored_name(name)) for index, name in enumerate(group.header)]
    corrupt = F.when(F.col(f"parsed.{CORRUPT}").isNotNull(), F.lit("malformed csv record"))
    return lines.select(*values, *_marks(F.col("value"), corrupt))


def _csv_blocks(spark: SparkSession, group: Group, reading: Reading) -> DataFrame:
    from pyspark.sql import functions as F

    names = [f"c{index}" for index in range(len(group.header))]
    schema = ", ".join(f"{name} string" for name in [*names, CORRUPT])
    blocks = _files(spark, "csv", group.paths, schema=schema, **(_CSV | {"header": "true"} | reading.options))
    numbered = _numbered(blocks, *[F.col(name) for name in [*names, CORRUPT]])
    values = [F.col(name).alias(stored_name(as_named)) for name, as_named in zip(names, group.header, strict=True)]
    return numbered.select(*values, *_marks(F.col(CORRUPT), _corrupt(F.col(names[0]), "malformed csv record")))


def _corrupt(field: Column, reason: str) -> Column:
    """Return `reason` for corrupt records.

    Spark refuses a query over the corrupt column alone, so the condition also reads a field, in a way
    that is always true and that no optimiser folds.
    """
    from pyspark.sql import functions as F

    also = F.coalesce(F.length(field.cast("string")), F.lit(0)) >= 0
    return F.when(F.col(CORRUPT).isNotNull() & also, F.lit(reason))


def _json(spark: SparkSession, group: Group) -> DataFrame:
    from pyspark.sql import functions as F

    # As the one element of an array, since alone Spark takes the first of several values in a line.
    schema = "array<struct<" + ", ".join(f"{quoted(name)}: string" for name in group.header) + ">>"
    options = {"allowSingleQuotes": "false", "mode": "PERMISSIVE"}
    value = F.concat(F.lit("["), F.ltrim(F.rtrim("value")), F.lit("]"))
    lines = _lines(spark, group, F.from_json(value, schema, options).alias("parsed"))
    only = F.get("parsed", F.lit(0))
    values = [only.getField(name).alias(stored_name(name)) for name in group.header]
    sound = F.coalesce((F.size("parsed") == 1) & only.isNotNull(), F.lit(False))
    return lines.select(*values, *_marks(F.col("value"), F.when(~sound, F.lit("malformed json record"))))


def _xml(spark: SparkSession, group: Group, reading: Reading, types: Mapping[str, str]) -> DataFrame:
    from pyspark.sql import functions as F

    lists = {name for name, kind in types.items() if kind.lower().startswith("array<")}
    fields = {name.removesuffix("[]"): name.endswith("[]") or name in lists for name in group.header}
    schema = ", ".join(f"{quoted(name)} {'array<string>' if repeats else 'string'}" for name, repeats in fields.items())
    options = {"rowTag": reading.row_tag, "attributePrefix": "attr_", "columnNameOfCorruptRecord": CORRUPT}
    rows = _files(spark, "xml", group.paths, schema=f"{schema}, {CORRUPT} string", **(options | reading.options))
    numbered = _numbered(rows, *[F.col(quoted(name)) for name in [*fields, CORRUPT]])
    values = [F.col(quoted(name)).alias(stored_name(name)) for name in fields]
    first = F.col(quoted(next(iter(fields)))).cast("string") if fields else F.lit("")
    return numbered.select(*values, *_marks(F.col(CORRUPT), _corrupt(first, "malformed xml record")))


def _parquet(spark: SparkSession, group: Group) -> DataFrame:
    from pyspark.sql import functions as F

    rows = _files(spark, "parquet", group.paths)
    names = [name.partition("\t")[0] for name in group.header]
    return rows.select(
        *[F.col(quoted(name)).alias(stored_name(name)) for name in names],
        F.col("_metadata.file_path").alias("_path"),
        F.col("_metadata.row_index").alias("_record"),
        F.lit(None).cast("string").alias(RAW),
        F.array().cast("array<string>").alias(REASONS),
    )


def _orc(spark: SparkSession, group: Group) -> DataFrame:
    from pyspark.sql import functions as F

    names = [name.partition("\t")[0] for name in group.header]
    rows = _numbered(_files(spark, "orc", group.paths), *[F.col(quoted(name)) for name in names])
    values = [F.col(quoted(name)).alias(stored_name(name)) for name in names]
    nothing = F.lit(None).cast("string")
    # Many rows may fit into a byte, so a split's numbers begin further apart than its bytes.
    apart = (F.col("_start") * _ROWS_A_BYTE + F.col("_index")).alias("_record")
    return rows.select(*values, "_path", apart, nothing.alias(RAW), F.array().cast("array<string>").alias(REASONS))


def _binary(spark: SparkSession, group: Group) -> DataFrame:
    from pyspark.sql import functions as F

    return _files(spark, "binaryFile", group.paths).select(
        "content",
        F.col("length").alias("size"),
        F.col("_metadata.file_path").alias("_path"),
        F.lit(0).cast("bigint").alias("_record"),
        F.lit(None).cast("string").alias(RAW),
        F.array().cast("array<string>").alias(REASONS),
    )


def _text(spark: SparkSession, group: Group) -> DataFrame:
    from pyspark.sql import functions as F

    lines = _numbered(_files(spark, "text", group.paths), F.col("value"))
    return lines.select("value", *_marks(F.col("value"), F.lit(None).cast("string")))


def _fixed(spark: SparkSession, group: Group, reading: Reading) -> DataFrame:
    from pyspark.sql import functions as F

    last = max(start for _, start, _ in reading.fields)
    values = [
        F.nullif(F.trim(F.substring("value", start, end - start + 1)), F.lit("")).alias(stored_name(name))
        for name, start, end in reading.fields
    ]
    short = F.when(F.length("value") < last, F.lit("the line ends before its last field"))
    return _lines(spark, group).select(*values, *_marks(F.col("value"), short))


def _typed(frame: DataFrame, types: Mapping[str, str]) -> DataFrame:
    """Cast the declared columns; where a value does not fit, the record is broken and keeps its raw text."""
    from pyspark.sql import functions as F

    raw = [name for name in frame.columns if name not in MARKS]
    declared = {stored_name(name).lower(): kind for name, kind in types.items()}
    values, misfits = [], []
    for name in raw:
        column, kind = F.col(quoted(name)), declared.get(name.lower())
        if kind is None:
            values.append(column)
            continue
        nested = (
            kind.lower().startswith(("struct", "map", "array")) and frame.schema[name].dataType.typeName() == "string"
        )
        cast = F.from_json(column, kind, {"mode": "PERMISSIVE"}) if nested else column.try_cast(kind)
        values.append(cast.alias(name))
        misfits.append(F.when(column.isNotNull() & cast.isNull(), F.lit(f"{name}: not {kind}")))
    if not misfits:
        return frame
    as_read = F.to_json(F.struct(*[F.col(quoted(name)) for name in raw]))
    broken = F.size(F.array_compact(F.array(*misfits))) > 0
    sound = F.size(REASONS) == 0
    return frame.select(
        *values,
        "_path",
        "_record",
        F.coalesce(F.col(RAW), F.when(broken, as_read)).alias(RAW),
        F.when(sound, F.array_compact(F.array(*misfits))).otherwise(F.col(REASONS)).alias(REASONS),
    )


def union(frames: Sequence[DataFrame]) -> DataFrame:
    """Return all rows by column name; a column that some lack is NULL there.

    Columns whose types differ become text, unless both are numbers; raises LL-SOURCE-004 where they
    can't.
    """
    from pyspark.errors import AnalysisException
    from pyspark.sql import functions as F

    kinds: dict[str, set[str]] = {}
    for frame in frames:
        for name, kind in frame.dtypes:
            kinds.setdefault(name.lower(), set()).add(kind)
    numbers = {"tinyint", "smallint", "int", "bigint", "float", "double"}
    as_text = {name for name, found in kinds.items() if len(found) > 1 and not found <= numbers}
    total: DataFrame | None = None
    try:
        for frame in frames:
            columns = [
                (F.col(quoted(name)).cast("string") if name.lower() in as_text else F.col(quoted(name))).alias(name)
                for name in frame.columns
            ]
            even = frame.select(*columns)
            total = even if total is None else total.unionByName(even, allowMissingColumns=True)
    except AnalysisException as cause:
        raise SourceError(
            "LL-SOURCE-004",
            "files of one source hold columns of types that can't be united",
            fix="declare the types under 'columns', or make two sources of it",
        ) from cause
    assert total is not None  # there is at least one group
    return total


# Formats whose readers need nothing of the config but the files.
_WHOLE = {"parquet": _parquet, "orc": _orc, "binary": _binary, "text": _text, "json": _json}
