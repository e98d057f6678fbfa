"""Rows without a label: how many there are, how they are treated, and what that does to the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.store.arrow import scanned

if TYPE_CHECKING:
    from lakeloom.datasets.spec import DatasetSpec
    from lakeloom.estimators.base import Fitted
    from lakeloom.training.loader import Pinned


def notes(data: Pinned, dataset: DatasetSpec, model: Fitted) -> list[str]:
    """Return sentences for the report: the dataset's own description, and the unlabelled rows.

    Parameters
    ----------
    data : Pinned
        The dataset at its version.
    dataset : DatasetSpec
    model : Fitted
        The model that scores; its mean score over rows with and without a label is told.
    """
    from deltalake import DeltaTable

    found = [dataset.description] if dataset.description else []
    table = scanned(DeltaTable(data.path, version=data.version), ["label", *data.features])
    missing = table.filter(table.column("label").is_null())
    if not missing.num_rows:
        return found
    labelled = table.filter(table.column("label").is_valid())
    rule = f" (only rows with {dataset.labels.where} have one)" if dataset.labels.where else ""
    found.append(
        f"{missing.num_rows:,} of {table.num_rows:,} rows have no label{rule}. They are in no split, so no metric"
        " counts them; they are scored like the others. A score is therefore the chance given that there is an"
        " outcome to measure, and says nothing of the chance that there is none. The mean score is"
        f" {model.predict(missing).mean():.3f} without a label and {model.predict(labelled).mean():.3f} with one."
    )
    return found
