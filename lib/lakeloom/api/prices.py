"""Price files: what an hour of work and a stored gibibyte cost somewhere. A mistake is told at its line.

A rate that a file does not name is 0: a file of a cloud that bills machines gives ``slot_hour``, one that
bills work gives ``task_hour``; who gives both counts the same second twice.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lakeloom.config.yaml import load
from lakeloom.core.findings import Finding, FindingsError
from lakeloom.core.kinds import nearest

CODE = "LL-CONF-019"
GIB = 2**30


class Rates(BaseModel):
    """Prices of a unit, in the file's currency.

    Attributes
    ----------
    slot_hour : float
        An hour of one slot, held by a step whether it works or waits.
    task_hour : float
        An hour of one task at work on a core.
    read_gib, written_gib, shuffle_gib : float
        A gibibyte from the storage, to it, and between the stages of a job.
    stored_gib_month : float
        A gibibyte kept for a month.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    slot_hour: float = Field(default=0.0, ge=0)
    task_hour: float = Field(default=0.0, ge=0)
    read_gib: float = Field(default=0.0, ge=0)
    written_gib: float = Field(default=0.0, ge=0)
    shuffle_gib: float = Field(default=0.0, ge=0)
    stored_gib_month: float = Field(default=0.0, ge=0)


class Prices(BaseModel):
    """One price file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    currency: str = Field(pattern="^[A-Z]{3}$")
    note: str = ""
    rates: Rates


def read(file: Path) -> Prices:
    """Read a price file.

    Raises
    ------
    FindingsError
        LL-CONF-019 with every mistake and its line; LL-CONF-001, 002, 006 where it is no YAML.
    """
    document = load(file, str(file))
    findings = list(document.findings)
    if not findings:
        try:
            return Prices.model_validate(document.data)
        except ValidationError as cause:
            for error in cause.errors(include_url=False, include_input=False):
                path = tuple(str(part) for part in error["loc"])
                above = (path[:length] for length in range(len(path), 0, -1))
                line = next((document.marks[each][1] for each in above if each in document.marks), 0)
                what, fix = _words(path, error["type"], error["msg"])
                findings.append(Finding(str(file), line, ".".join(path), CODE, what, fix))
    raise FindingsError(findings)


def _words(path: tuple[str, ...], kind: str, message: str) -> tuple[str, str]:
    """Return what is wrong and the fix."""
    if kind == "extra_forbidden":
        valid = list((Rates if path[0] == "rates" and len(path) > 1 else Prices).model_fields)
        near = nearest(path[-1], valid)
        text = f"'{path[-1]}' is not a key here; the keys are {', '.join(valid)}"
        return text, f"use '{near}'" if near else "remove it"
    if kind == "missing":
        return f"{path[-1]} is missing", f"add {path[-1]}:"
    if path == ("currency",):
        return "the currency is three capital letters", "write it like EUR"
    return f"{path[-1]}: {message}", "give a number from 0 on" if path[0] == "rates" else ""
