"""The hash of rows as `lakeloom.sources.jdbc.rows.row_hash` has Spark make it, bit for bit, of Arrow's columns.

A row that came through Spark and one that did not have the same mark, so that runs of either way know each other's
rows. Blocks of rows are hashed at once by numpy: each step of the function over all of them.

Source: Spark's ``XXH64`` and ``XxHash64Function``; the specification of xxHash.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Words = npt.NDArray[np.uint64]

SEED = 42
BLOCK = 8_192  # rows: a few of their columns stay in the processor's cache
_P1, _P2, _P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_P4, _P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
_ALL = slice(None)


def row_hashes(columns: Sequence[pa.Array]) -> npt.NDArray[np.int64]:
    """Return the hash of each row over its values and whether they are NULL, in the order of the columns.

    Parameters
    ----------
    columns : sequence of pyarrow.Array
        Of one length: bool, int8 to int64, float32, float64, decimal128 of at most 18 digits, date32,
        timestamp[us], string and binary, also large ones.

    Raises
    ------
    TypeError
        For another type.
    """
    import numpy as np

    rows = len(columns[0])
    found = np.full(rows, SEED, dtype=np.uint64)
    for first in range(0, rows, BLOCK):
        part = found[first : first + BLOCK]
        for column in columns:
            _column(part, column.slice(first, BLOCK))
    return found.view(np.int64)


def _column(hashes: Words, column: pa.Array) -> None:
    """Let a column's values, then whether they are NULL, into the hashes."""
    import numpy as np

    valid = None
    if column.null_count:
        valid = _bits(column.buffers()[0], column.offset, len(column))
    before = hashes.copy() if valid is not None else None
    values = fixed(column)
    if values is None:
        _bytes(hashes, *_spans(column))
    elif values.dtype == np.uint32:
        _short(hashes, values.astype(np.uint64))
    else:
        _long(hashes, values.view(np.uint64))
    if valid is None or before is None:
        _short(hashes, None)
    else:
        np.copyto(hashes, before, where=~valid)
        _short(hashes, (~valid).astype(np.uint64))


def fixed(column: pa.Array) -> Any:
    """Return values as Spark hashes them: uint32 or int64 words, None for texts and bytes."""
    import numpy as np
    import pyarrow as pa

    kind, start, stop = column.type, column.offset, column.offset + len(column)
    buffer = column.buffers()[1]

    def raw(dtype: Any, width: int = 1) -> Any:
        return np.frombuffer(buffer, dtype=dtype, count=stop * width)[start * width :]

    if pa.types.is_boolean(kind):
        return _bits(buffer, start, stop - start).astype(np.uint32)
    if pa.types.is_signed_integer(kind) and kind.bit_width < 64:
        return raw(f"i{kind.bit_width // 8}").astype(np.int32).view(np.uint32)
    if pa.types.is_date32(kind):
        return raw("u4")
    if pa.types.is_int64(kind) or (pa.types.is_timestamp(kind) and kind.unit == "us"):
        return raw("i8")
    if pa.types.is_floating(kind) and kind.bit_width >= 32:
        values = raw(f"f{kind.bit_width // 8}") + 0.0  # -0.0 is 0.0 then, as it is for Spark
        values[np.isnan(values)] = np.nan  # which is one of many
        return values.astype(raw(f"f{kind.bit_width // 8}").dtype).view(f"u{kind.bit_width // 8}")
    if pa.types.is_decimal128(kind) and kind.precision <= 18:
        return np.ascontiguousarray(raw("i8", 2)[::2])
    if any(test(kind) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary,
                                   pa.types.is_large_binary)):  # fmt: skip
        return None
    raise TypeError(f"no hash of {kind}")


def _bits(buffer: pa.Buffer, start: int, length: int) -> Any:
    import numpy as np

    held = np.frombuffer(buffer, dtype=np.uint8)[start // 8 : (start + length + 7) // 8]
    return np.unpackbits(held, bitorder="little")[start % 8 : start % 8 + length].view(np.bool_)


def _spans(column: pa.Array) -> tuple[Any, Any, Any]:
    """Return a column's bytes, 32 zeros behind them, and where each value begins and how long it is."""
    import numpy as np
    import pyarrow as pa

    wide = pa.types.is_large_string(column.type) or pa.types.is_large_binary(column.type)
    _, places, held = column.buffers()
    kind: Any = np.int64 if wide else np.int32
    edges = np.frombuffer(places, dtype=kind, count=column.offset + len(column) + 1)[column.offset :].astype(np.int64)
    low, high = int(edges[0]), int(edges[-1])
    data = np.zeros(high - low + 32, dtype=np.uint8)
    if high > low:
        data[:-32] = np.frombuffer(held, dtype=np.uint8)[low:high]
    return data, edges[:-1] - low, np.diff(edges)


def _bytes(hashes: Words, data: Any, begins: Any, lengths: Any) -> None:
    import numpy as np

    words: Words = np.ndarray((len(data) - 8,), dtype="<u8", buffer=data, strides=(1,))
    at, rest = begins.copy(), lengths.copy()
    seeds = hashes.copy()
    hashes += np.uint64(_P5)
    whole = lengths >= 32
    if whole.any():
        _stripes(hashes, seeds, words, at, rest, _where(whole))
    hashes += lengths.astype(np.uint64)
    while (some := _some(rest >= 8)) is not None:
        part = hashes[some]  # those themselves where it is all of them
        _word(part, words[at[some]])
        hashes[some] = part
        at[some] += 8
        rest[some] -= 8
    if (some := _some(rest >= 4)) is not None:
        part = hashes[some]
        _half(part, words[at[some]] & np.uint64(0xFFFFFFFF))
        hashes[some] = part
        at[some] += 4
        rest[some] -= 4
    while (some := _some(rest > 0)) is not None:
        part = data[at[some]].astype(np.uint64)
        part *= np.uint64(_P5)
        part ^= hashes[some]
        _turn(part, 11)
        part *= np.uint64(_P1)
        hashes[some] = part
        at[some] += 1
        rest[some] -= 1
    _mixed(hashes)


def _stripes(hashes: Words, seeds: Words, words: Any, at: Any, rest: Any, some: Any) -> None:
    """Let the values of 32 bytes and more into the hashes, 32 bytes a round, and move `at` and `rest` behind them."""
    import numpy as np

    seed, place, left = seeds[some], at[some], rest[some]
    with np.errstate(over="ignore"):
        lanes = [seed + np.uint64((_P1 + _P2) % 2**64), seed + np.uint64(_P2), seed, seed - np.uint64(_P1)]
    while (more := _some(left >= 32)) is not None:
        for lane, values in enumerate(lanes):
            part = words[place[more] + 8 * lane]
            part *= np.uint64(_P2)
            part += values[more]
            _turn(part, 31)
            part *= np.uint64(_P1)
            if isinstance(more, slice):
                lanes[lane] = part
            else:
                values[more] = part
        place[more] += 32
        left[more] -= 32
    made = np.zeros_like(lanes[0])
    for values, by in zip(lanes, (1, 7, 12, 18), strict=True):
        part = values.copy()
        _turn(part, by)
        made += part
    for values in lanes:
        values *= np.uint64(_P2)
        _turn(values, 31)
        values *= np.uint64(_P1)
        made ^= values
        made *= np.uint64(_P1)
        made += np.uint64(_P4)
    hashes[some], at[some], rest[some] = made, place, left


def _short(hashes: Words, values: Words | None) -> None:
    """Let 32 bits a row into the hashes, zeros where there are no values."""
    import numpy as np

    hashes += np.uint64((_P5 + 4) % 2**64)
    _half(hashes, values)
    _mixed(hashes)


def _long(hashes: Words, values: Words) -> None:
    """Let 64 bits a row into the hashes."""
    import numpy as np

    hashes += np.uint64((_P5 + 8) % 2**64)
    _word(hashes, values)
    _mixed(hashes)


def _half(hashes: Words, values: Words | None) -> None:
    import numpy as np

    if values is not None:
        hashes ^= values * np.uint64(_P1)
    _turn(hashes, 23)
    hashes *= np.uint64(_P2)
    hashes += np.uint64(_P3)


def _word(hashes: Words, values: Words) -> None:
    import numpy as np

    part = values * np.uint64(_P2)
    _turn(part, 31)
    part *= np.uint64(_P1)
    hashes ^= part
    _turn(hashes, 27)
    hashes *= np.uint64(_P1)
    hashes += np.uint64(_P4)


def _mixed(hashes: Words) -> None:
    import numpy as np

    hashes ^= hashes >> np.uint64(33)
    hashes *= np.uint64(_P2)
    hashes ^= hashes >> np.uint64(29)
    hashes *= np.uint64(_P3)
    hashes ^= hashes >> np.uint64(32)


def _turn(values: Words, by: int) -> None:
    """Turn the bits of each value to the left."""
    import numpy as np

    over = values >> np.uint64(64 - by)
    values <<= np.uint64(by)
    values |= over


def _some(which: Any) -> Any:
    """Return which rows, None for none."""
    return _where(which) if which.any() else None


def _where(which: Any) -> Any:
    return _ALL if which.all() else which.nonzero()[0]
