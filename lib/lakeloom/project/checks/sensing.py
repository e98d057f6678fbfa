"""The rule of `check` for sensors: each waits for what its step can tell, and nothing that looks by itself has two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lakeloom.core.errors import ConfigError
from lakeloom.project.checks.problem import Problem, Schemas
from lakeloom.project.sensing import fitting, sensor
from lakeloom.project.spec import Project


def sensors_fit(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """What ``when:`` says is an event of the source or table, with a duration, or a time."""
    sections: dict[str, Mapping[str, Any]] = {"sources": project.sources, "tables": project.tables}
    for section, entries in sections.items():
        for name, spec in entries.items():
            if spec.when is None:
                continue
            path = (section, name, "when")
            try:
                sensor(spec.when, "", fitting(spec))
            except ConfigError as error:
                yield Problem(path, error.code, error.message, error.fix)
            stream = getattr(spec, "stream", None)
            if stream is not None and stream.every is not None:
                message = "a stream that says every: looks by itself; when: would run it twice"
                yield Problem(path, "LL-CONF-022", message, "leave one of the two out")
