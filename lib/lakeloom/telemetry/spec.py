"""``metrics:`` and ``openlineage:`` in the config: where a run's figures and lineage go when it ends."""

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


class OpenLineageSpec(BaseModel):
    """Where the lineage of each run goes, as OpenLineage's events.

    Attributes
    ----------
    file : str, optional
        A file to which each event is added as a line of JSON; a relative one starts at the project's home.
    url : str, optional
        A receiver over HTTP, with its whole path: ``http://marquez:5000/api/v1/lineage``.
    headers : dict
        For the receiver, such as ``Authorization: ${secret:scope/token}``.
    namespace : str, optional
        Of jobs and tables; the project's name by default.
    attempts, timeout_s : int, float
        How often the receiver is tried for an event, and seconds until an attempt is given up.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str | None = None
    url: Annotated[str, AfterValidator(_address)] | None = None
    headers: dict[str, str] = {}
    namespace: str = ""
    attempts: int = Field(default=3, ge=1, le=10)
    timeout_s: float = Field(default=10.0, gt=0, le=120)
