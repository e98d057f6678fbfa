"""Versions of a model and the alias ``champion``: the better one by a metric on valid.

A version carries the tag ``lakeloom.key`` of its run, so that a replay finds it; its score stands in
the tag ``lakeloom.score``, beside the metric and the split. Scores are compared only where metric,
split and dataset version are told the same way; a champion measured otherwise is replaced only by
``always``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lakeloom.registry.client import connect
from lakeloom.registry.tracking import KEY, Uploaded

CHAMPION = "champion"
SCORE = "lakeloom.score"
MEASURE = "lakeloom.measure"


@dataclass(frozen=True)
class Promoted:
    """What became of a version: its number, whether it is champion now, and why."""

    version: int
    champion: bool
    reason: str


def promote(
    tracking: str,
    name: str,
    key: str,
    uploaded: Uploaded,
    score: float,
    measure: str,
    greater_is_better: bool,
    when: str = "better",
    tags: Mapping[str, str] | None = None,
) -> Promoted:
    """Register a version of `name`, once a key, and make it champion if it beats the present one.

    Parameters
    ----------
    name : str
        Of the registered model.
    key : str
        ``<step>/<epoch>``.
    uploaded : Uploaded
        The run with its model.
    score : float
        Of the promotion metric on its split.
    measure : str
        What the score is, such as ``average_precision on valid``.
    greater_is_better : bool
    when : str
        ``better``, ``always`` or ``never``.
    """
    client = connect(tracking)
    version = _register(client, name, key, uploaded, dict(tags or {}) | {SCORE: repr(score), MEASURE: measure})
    champion = _champion(client, name)
    if champion is not None and int(champion.version) == version:
        return Promoted(version, True, "it is the champion already")
    better, reason = _compare(champion, score, measure, greater_is_better, when)
    if better:
        client.set_registered_model_alias(name, CHAMPION, str(version))
    return Promoted(version, better, reason)


def _register(client: Any, name: str, key: str, uploaded: Uploaded, tags: dict[str, str]) -> int:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as cause:
        if cause.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    for version in client.search_model_versions(f"name = '{name}'"):
        if version.tags.get(KEY) == key:
            return int(version.version)
    made = client.create_model_version(name, uploaded.model_uri, run_id=uploaded.run_id, tags={KEY: key} | tags)
    return int(made.version)


def _champion(client: Any, name: str) -> Any | None:
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version_by_alias(name, CHAMPION)
    except MlflowException:
        return None


def _compare(champion: Any | None, score: float, measure: str, greater: bool, when: str) -> tuple[bool, str]:
    if when == "never":
        return False, "the config says never"
    if when == "always":
        return True, "the config says always"
    if score != score:
        return False, f"its {measure} is undefined"
    if champion is None:
        return True, "there was no champion"
    if champion.tags.get(MEASURE) != measure or SCORE not in champion.tags:
        return False, f"the champion was not measured by {measure}"
    old = float(champion.tags[SCORE])
    better = score > old if greater else score < old
    return better, f"{measure}: {score:.6g} against the champion's {old:.6g}"
