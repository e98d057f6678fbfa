"""Search spaces as ``models.yml`` writes them, and a trial's true values.

``{lr: {log: [1e-4, 1e-1]}, dropout: {uniform: [0, 0.5]}, width: {choice: [64, 128]}, layers: {int: [1, 4]}}``.
hyperopt stores the index of a choice and a float for an integer; here values go in and out as they
are meant. Conditional spaces are refused: a trial has a value for every name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lakeloom.core.errors import TrainError

FORMS = ("log", "uniform", "int", "choice")
Space = Mapping[str, Any]
Parameters = dict[str, Any]


def check_space(space: Space, where: str = "tune.space") -> None:
    """Raise LL-TRAIN-004 for the first name whose range is malformed."""
    for name, dimension in space.items():
        problem = _problem(dimension)
        if problem:
            raise TrainError(
                "LL-TRAIN-004",
                f"'{name}' {problem}",
                where=f"{where}.{name}",
                fix="write {log: [low, high]}, {uniform: [low, high]}, {int: [low, high]} or {choice: [a, b]}",
            )


def to_hyperopt(space: Space) -> dict[str, Any]:
    """Return the space in hyperopt's terms; raises LL-TRAIN-004."""
    check_space(space)
    return {name: _dimension(name, *next(iter(dimension.items()))) for name, dimension in space.items()}


def true_values(space: Space, parameters: Mapping[str, Any]) -> Parameters:
    """Return a trial's parameters as plain Python values of the right type, sorted by name."""
    found: Parameters = {}
    for name in sorted(space):
        form, limits = next(iter(space[name].items()))
        value = parameters[name]
        if form == "choice":
            found[name] = next(each for each in limits if each == value and type(each) is type(_plain(value)))
        else:
            found[name] = int(value) if form == "int" else float(value)
    return found


def stored_values(space: Space, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what hyperopt stores for `parameters`: the opposite of `true_values`, for a resumed study."""
    found: dict[str, Any] = {}
    for name, value in parameters.items():
        form, limits = next(iter(space[name].items()))
        found[name] = limits.index(value) if form == "choice" else float(value)
    return found


def _problem(dimension: Any) -> str:
    if not isinstance(dimension, Mapping) or len(dimension) != 1:
        return "is not a mapping with one form"
    form, limits = next(iter(dimension.items()))
    if form not in FORMS:
        return f"has the form '{form}'; the forms are {', '.join(FORMS)}"
    if not isinstance(limits, list | tuple) or not limits:
        return f"needs a list after {form}"
    if form == "choice":
        return (
            ""
            if all(isinstance(each, str | int | float | bool) for each in limits)
            else "has choices that are no values"
        )
    if len(limits) != 2 or not all(isinstance(each, int | float) and not isinstance(each, bool) for each in limits):
        return "needs two numbers, low and high"
    low, high = limits
    if form == "int" and not (isinstance(low, int) and isinstance(high, int)):
        return "needs whole numbers"
    if form == "log" and low <= 0:
        return "is logarithmic and needs a low end above 0"
    return "" if low < high else f"has a low end ({low}) that is not below the high end ({high})"


def _dimension(name: str, form: str, limits: Any) -> Any:
    import math

    from hyperopt import hp

    if form == "choice":
        return hp.choice(name, list(limits))
    low, high = limits
    if form == "log":
        return hp.loguniform(name, math.log(low), math.log(high))
    return hp.uniformint(name, low, high) if form == "int" else hp.uniform(name, low, high)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
