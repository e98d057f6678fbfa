"""``metrics:`` in the config: where a run's figures go when it ends."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _textfile(value: str) -> str:
    if not value.endswith(".prom"):
        raise ValueError("node_exporter reads only files whose names end in .prom")
    return value


def _address(value: str) -> str:
    if not value.startswith(("http://", "https://", "${")):
        raise ValueError("an http:// or https:// address is wanted, such as http://collector:4318")
    return value


class MetricsSpec(BaseModel):
    """Where the figures of each run go.

    Attributes
    ----------
    textfile : str, optional
        A file for node_exporter's textfile collector; a relative one starts at the project's home.
    otlp : str, optional
        A collector of OpenTelemetry over HTTP; ``/v1/metrics`` and ``/v1/traces`` are added.
    headers : dict
        For the collector, such as ``Authorization: ${secret:scope/token}``.
    attempts, timeout_s : int, float
        How often the collector is tried, and seconds until an attempt is given up.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    textfile: Annotated[str, AfterValidator(_textfile)] | None = None
    otlp: Annotated[str, AfterValidator(_address)] | None = None
    headers: dict[str, str] = {}
    attempts: int = Field(default=3, ge=1, le=10)
    timeout_s: float = Field(default=10.0, gt=0, le=120)
