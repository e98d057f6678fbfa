"""Applying verbs: one after the other, each on what the one before it made, in no Spark job of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lakeloom.cleansing.spec import VerbSpec, verbs_of
from lakeloom.core.errors import CleansingError
from lakeloom.quality.judged import CHANGED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def clean(frame: DataFrame, verbs: Iterable[VerbSpec | Mapping[str, Any] | str], where: str = "") -> DataFrame:
    """Return the frame with the verbs applied in their order; nothing is computed yet.

    Parameters
    ----------
    frame : DataFrame
        Any frame; columns whose names begin with ``_`` are lakeloom's own.
    verbs : iterable
        As under ``clean:`` in the config: ``[{"trim": ["name"]}, {"lower": ["email"]}]``.
    where : str
        Step or table, for errors.

    Returns
    -------
    DataFrame
        Beside the columns, ``_changed_<n>_<verb> bigint`` for each verb (the rows that it changed, once
        summed), and where a verb can meet what is incompatible ``_faults array<string>`` with the reasons
        of rows for quarantine and ``_unread``, what could not be read, as text. `lakeloom.quality.rows.judge`
        parts good rows from broken ones and sums up.

    Raises
    ------
    CleansingError
        LL-CLEAN-001 where a verb's arguments are wrong, LL-CLEAN-002 where it does not fit the frame.
        Once it is computed: LL-CLEAN-003 where a verb was to fail, LL-CLEAN-004 for a block too large.
    ConfigError
        LL-CONF-020 for an unknown verb, LL-CONF-021 for one that can't be imported.
    """
    for number, spec in enumerate(verbs_of(verbs), 1):
        try:
            frame = spec.made().apply(frame, f"{CHANGED}{number}_{spec.title}")
        except CleansingError as error:
            error.where = error.where or " ".join(part for part in (where, f"clean.{number - 1}.{spec.verb}") if part)
            raise
    return frame
