"""The hash of rows of Arrow against Spark's own, over random values of every type, their lengths and extremes."""

import random
import struct
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from lakeloom.sources.jdbc.hashing import BLOCK, row_hashes
from lakeloom.sources.jdbc.rows import row_hash

DRAWN = random.Random(7)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def double():
    return struct.unpack("<d", DRAWN.randbytes(8))[0]


def single():
    return struct.unpack("<f", DRAWN.randbytes(4))[0]


def text(length):
    return "".join(DRAWN.choice("aZ09 ü漢😀\x00") for _ in range(length))


ODD = [0.0, -0.0, float("nan"), float("inf"), float("-inf"), 5e-324]
# Spark's type, Arrow's, values.
TYPES = {
    "boolean": (pa.bool_(), [True, False]),
    "tinyint": (pa.int8(), [-128, 127, 0]), "smallint": (pa.int16(), [-32768, 32767, 0]),
    "int": (pa.int32(), [-(2**31), 2**31 - 1, 0, *(DRAWN.randrange(-(2**31), 2**31) for _ in range(50))]),
    "bigint": (pa.int64(), [-(2**63), 2**63 - 1, 0, *(DRAWN.randrange(-(2**63), 2**63) for _ in range(50))]),
    "float": (pa.float32(), [*ODD[:5], *(single() for _ in range(50))]),
    "double": (pa.float64(), [*ODD, *(double() for _ in range(50))]),
    "decimal(18,4)": (pa.decimal128(18, 4), [Decimal(n).scaleb(-4) for n in (-(10**18) + 1, 10**18 - 1, 0, -1, 12345)]),
    "decimal(5,0)": (pa.decimal128(5, 0), [Decimal(n) for n in (-99999, 99999, 0)]),
    "date": (pa.date32(), [date(1, 1, 1), date(9999, 12, 31), date(1970, 1, 1), date(1582, 10, 4)]),
    "timestamp": (pa.timestamp("us", "UTC"), [EPOCH + timedelta(microseconds=n) for n in (0, -1, 1, -62135596800 * 10**6, 10**15)]),
    "timestamp_ntz": (pa.timestamp("us"), [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)]),
    "string": (pa.string(), [*("x" * length for length in range(201)), *(text(length) for length in range(201))]),
    "binary": (pa.binary(), [DRAWN.randbytes(length) for length in range(201)]),
}  # fmt: skip


@pytest.fixture(scope="module")
def every(spark):
    """Give rows of every type: as Arrow's and as Spark's, which reads the same file."""
    rows = BLOCK + 500
    columns = {}
    for at, (arrow, values) in enumerate(TYPES.values()):
        drawn = [*values, None] + [DRAWN.choice([*values, None]) for _ in range(rows)]
        DRAWN.shuffle(drawn)
        columns[f"c{at}"] = pa.array(drawn[:rows], arrow)
    columns["none"] = pa.nulls(rows, pa.string())
    columns["nr"] = pa.array(range(rows), pa.int64())  # no NULL in it
    return pa.table(columns)


def in_spark(spark, table, folder):
    """Return Spark's hashes of the rows of a table that has their numbers in its last column."""
    import pyarrow.parquet as pq

    pq.write_table(table, folder / "rows.parquet", store_schema=False)
    frame = spark.read.parquet(str(folder / "rows.parquet"))
    found = frame.select("nr", row_hash(frame.columns).alias("hash")).orderBy("nr").collect()
    return frame, [row["hash"] for row in found]


def test_hashes_are_spark_s_bit_for_bit_whatever_the_type(spark, every, tmp_path):
    frame, wanted = in_spark(spark, every, tmp_path)
    assert [kind for _, kind in frame.dtypes] == [*TYPES, "string", "bigint"]
    assert row_hashes([column.chunk(0) for column in every.columns]).tolist() == wanted


def test_slices_and_large_texts_hash_as_what_they_are_part_of(every):
    whole = row_hashes([column.chunk(0) for column in every.columns])
    part = every.slice(13, 777)
    assert row_hashes([column.chunk(0) for column in part.columns]).tolist() == whole[13:790].tolist()
    wide = {pa.string(): pa.large_string(), pa.binary(): pa.large_binary()}
    large = [column.chunk(0).cast(wide.get(column.type, column.type)) for column in part.columns]
    assert row_hashes(large).tolist() == whole[13:790].tolist()


def test_long_texts_of_many_lengths_in_one_block(spark, tmp_path):
    values = [text(DRAWN.randrange(3000)) for _ in range(300)]
    table = pa.table({"v": pa.array(values), "nr": pa.array(range(300), pa.int64())})
    _, wanted = in_spark(spark, table, tmp_path)
    assert row_hashes([column.chunk(0) for column in table.columns]).tolist() == wanted


def test_other_types_are_refused():
    with pytest.raises(TypeError, match="list"):
        row_hashes([pa.array([[1]])])
    with pytest.raises(TypeError, match="decimal"):
        row_hashes([pa.array([Decimal(1)], pa.decimal128(38, 0))])
