"""Which optional packages a project's kinds need, known before anything is started."""

from __future__ import annotations

from collections.abc import Iterator

from lakeloom.core.extras import EXTRAS, absent, command
from lakeloom.core.kinds import load, pick
from lakeloom.core.steps import Step
from lakeloom.objects import STORES
from lakeloom.project.checks.problem import Problem, Schemas
from lakeloom.project.spec import Project, SourceSpec
from lakeloom.sinks import SINKS
from lakeloom.sinks.spec import ExportSpec
from lakeloom.sources import SOURCES
from lakeloom.training.spec import ModelSpec


def needs(step: Step) -> list[str]:
    """Return the extras that a step needs."""
    if isinstance(step.spec, SourceSpec | ExportSpec):
        return list(_of_kind(step.spec))
    if not isinstance(step.spec, ModelSpec):
        return []
    # A study trains on executors without a communicator, and scores need neither.
    without = {"train": {"tune"}, "tune": set(EXTRAS) - {"train", "tune"}}.get(step.kind, set(EXTRAS) - {"train"})
    return [extra for extra in _of_model(step.spec) if extra not in without]


def lacking(step: Step) -> list[str]:
    """Return those of a step's extras that are not installed on this machine; nothing is imported."""
    return [extra for extra in needs(step) if absent(extra)]


def extras_are_installed(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """The packages that the kinds of sources and models need are installed on this machine."""
    wanted = {("sources", name): _of_kind(source) for name, source in project.sources.items()}
    wanted |= {("exports", name): _of_kind(export) for name, export in project.exports.items()}
    wanted |= {("models", name): _of_model(model) for name, model in project.models.items()}
    gone = {extra: absent(extra) for extra in {extra for each in wanted.values() for extra in each}}
    for path, extras in wanted.items():
        for extra, part in extras.items():
            if gone[extra]:
                text = f"{'.'.join(path)} needs {', '.join(gone[extra])}, not installed on this machine"
                yield Problem((*path, *part), "LL-SETUP-003", text, command(extra))


def _of_kind(spec: SourceSpec | ExportSpec) -> dict[str, tuple[str, ...]]:
    """Return the extra that a source's or sink's kind names as its class's ``extra``, with the key that asks for it."""
    sink = isinstance(spec, ExportSpec)
    kind = pick(spec.kind, SINKS if sink else SOURCES)
    extra = getattr(kind, "extra", "")
    asked: dict[str, str] = kind.extras_of(spec.options) if hasattr(kind, "extras_of") else {}
    scheme = str(spec.options.get("path", "")).partition("://")[0]
    store = str(getattr(load(STORES[scheme]), "extra", "")) if scheme in STORES else ""
    return {each: (key,) for each, key in ((extra, "kind"), (store, "to" if sink else "path"), *asked.items()) if each}


def _of_model(model: ModelSpec) -> dict[str, tuple[str, ...]]:
    """Return the extras of a model, each with the key that asks for it."""
    found: dict[str, tuple[str, ...]] = {"train": ("estimator",)}
    if model.train.kind in EXTRAS:  # a communicator called like an extra is brought by it
        found[model.train.kind] = ("train", "kind")
    if model.tune is not None:
        found["tune"] = ("tune",)
    return found
