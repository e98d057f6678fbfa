"""The rules of `check` for object stores: each entry is the beginning of an address, its options those of its kind."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from lakeloom.config.placeholders import placeholders
from lakeloom.core.kinds import load
from lakeloom.objects import STORES
from lakeloom.project.checks.problem import Problem, Schemas, hint, of_error
from lakeloom.project.spec import Project


def stores_are_sound(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """Each key of ``stores:`` begins with a known scheme, and what stands below it are options of that kind."""
    for name, options in project.settings.stores.items():
        scheme = name.partition(":")[0]
        if scheme not in STORES or not name.startswith((f"{scheme}://", f"{scheme}:")):
            fix = hint(scheme, STORES) or f"begin with one of {', '.join(f'{each}://' for each in STORES)}"
            yield Problem(("stores", name), "LL-CONF-020", f"'{name}' is no address of a store", fix)
            continue
        config = load(STORES[scheme]).Config
        try:
            # What a variable or secret holds is known when it runs.
            config.model_validate({key: each for key, each in options.items() if not any(placeholders(each))})
        except ValidationError as cause:
            for error in cause.errors(include_url=False, include_input=False):
                yield of_error(("stores", name), error, config)
