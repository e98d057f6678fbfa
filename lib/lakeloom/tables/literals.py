"""Values as people write them in YAML and CSV → typed values, as a table holds them.

Text stands for every type (CSV has nothing else), YAML's own numbers and truth values for theirs. Times
are UTC unless they say otherwise; binary is base64. Refused is what would lose something: a fraction
for a whole number, a number out of its type's range, a truth value for a number.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp

_BITS = {"TINYINT": 8, "SMALLINT": 16, "INT": 32, "BIGINT": 64}
_TRUTH = {"true": True, "false": False}


def typed(value: Any, kind: str) -> Any:
    """Return `value` as a Spark type's Python value.

    Parameters
    ----------
    value : None, bool, int, float, str, list or dict
        What YAML or CSV held.
    kind : str
        A Spark SQL type, such as ``bigint`` or ``array<string>``.

    Raises
    ------
    ValueError
        Where the value is none of that type; its text says why.
    """
    return _typed(value, _parsed(kind), kind)


def inferred(values: list[Any]) -> str:
    """Return the Spark type that YAML's values have together: bigint, double, boolean or string."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "bigint"
    return "double" if kinds and kinds <= {int, float} else "string"


@lru_cache(maxsize=512)
def _parsed(kind: str) -> exp.DataType:
    from sqlglot import exp
    from sqlglot.errors import ParseError

    try:
        return exp.DataType.build(kind, dialect="spark")
    except ParseError:
        raise ValueError(f"'{kind}' is no type that a value can be written in") from None


def _typed(value: Any, kind: exp.DataType, shown: str) -> Any:
    if value is None:
        return None
    name = kind.this.name if hasattr(kind.this, "name") else str(kind.this)
    if name in _BITS:
        return _whole(value, _BITS[name], shown)
    make = _SCALARS.get(name)
    if make is not None:
        try:
            return make(value)
        except (ValueError, InvalidOperation, binascii.Error):
            raise _no(value, shown) from None
    if name == "DECIMAL":
        return _decimal(value, kind, shown)
    if name in ("ARRAY", "MAP", "STRUCT"):
        return _nested(value, kind, name, shown)
    raise ValueError(f"'{shown}' is no type that a value can be written in")


def _no(value: Any, shown: str) -> ValueError:
    return ValueError(f"{value!r:.60} is no {shown}")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        raise ValueError
    return str(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    return float(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _TRUTH:
        return _TRUTH[value.lower()]
    raise ValueError


def _date(value: Any) -> date:
    return date.fromisoformat(_text(value).strip())


def _instant(value: Any) -> datetime:
    time = datetime.fromisoformat(_text(value).strip())
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _wall_clock(value: Any) -> datetime:
    time = datetime.fromisoformat(_text(value).strip())
    if time.tzinfo:
        raise ValueError
    return time


def _bytes(value: Any) -> bytes:
    return base64.b64decode(_text(value), validate=True)


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "TEXT": _text,
    "VARCHAR": _text,
    "CHAR": _text,
    "DOUBLE": _number,
    "FLOAT": _number,
    "BOOLEAN": _boolean,
    "DATE": _date,
    "TIMESTAMP": _instant,
    "TIMESTAMPTZ": _instant,
    "TIMESTAMPLTZ": _instant,
    "TIMESTAMPNTZ": _wall_clock,
    "BINARY": _bytes,
}


def _whole(value: Any, bits: int, shown: str) -> int:
    try:
        number = int(value) if isinstance(value, str) else value
    except ValueError:
        raise _no(value, shown) from None
    if isinstance(number, float) and math.isfinite(number) and number.is_integer():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int):
        raise _no(value, shown)
    if not -(1 << bits - 1) <= number < 1 << bits - 1:
        raise ValueError(f"{number} is out of the range of {shown}")
    return number


def _decimal(value: Any, kind: exp.DataType, shown: str) -> Decimal:
    precision, scale = ([int(part.name) for part in kind.expressions] + [0])[:2] if kind.expressions else (10, 0)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _no(value, shown)
    try:
        number = Decimal(str(value))
        rounded = number.quantize(Decimal(1).scaleb(-scale))
    except InvalidOperation:
        raise _no(value, shown) from None
    if rounded != number or len(rounded.as_tuple().digits) > precision:
        raise _no(value, shown)
    return rounded


def _nested(value: Any, kind: exp.DataType, name: str, shown: str) -> Any:
    if name == "ARRAY":
        if not isinstance(value, list):
            raise _no(value, shown)
        return [_typed(item, kind.expressions[0], kind.expressions[0].sql("spark").lower()) for item in value]
    if not isinstance(value, dict):
        raise _no(value, shown)
    if name == "MAP":
        of_key, of_value = kind.expressions
        return {
            _typed(key, of_key, of_key.sql("spark").lower()): _typed(item, of_value, of_value.sql("spark").lower())
            for key, item in value.items()
        }
    fields = {field.name: field.args["kind"] for field in kind.expressions}
    unknown = [key for key in value if key not in fields]
    if unknown:
        raise ValueError(f"{shown} has no field {', '.join(unknown)}")
    return {key: _typed(value.get(key), of, of.sql("spark").lower()) for key, of in fields.items()}
