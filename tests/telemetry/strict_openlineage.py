"""Reads OpenLineage events as lines of JSON and prints what is wrong with each: nothing may be said of a sound one.

Runs in the environment of ``environment/openlineage.lock``. Each object is built with the class that OpenLineage's own
client has generated from the specification: facets by their ``_schemaURL``, all fields by their declared types.
The classes check times, ids and addresses themselves; fields that the specification does not know are refused here.
"""

import importlib
import json
import pkgutil
import sys
import types
import typing
from enum import Enum

import attr
from openlineage.client import event_v2, generated
from openlineage.client.generated import base


def classes():
    """Return schema address → class, of every facet that the client knows."""
    found = {}
    for module in pkgutil.iter_modules(generated.__path__):
        for each in vars(importlib.import_module(f"{generated.__name__}.{module.name}")).values():
            if isinstance(each, type) and issubclass(each, base.BaseFacet):
                found[each._get_schema()] = each
    return found


FACETS = classes()


def built(kind, data, path):
    """Return `data` as an object of a type; raises ValueError where it does not fit."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if data is None:
            raise ValueError(f"{path} is null")
        (one,) = [each for each in inner if each is not type(None)]
        return built(one, data, path)
    if origin is list:
        return [built(inner[0], each, f"{path}[{index}]") for index, each in enumerate(of(list, data, path))]
    if origin is dict:
        return {key: built(inner[1], each, f"{path}.{key}") for key, each in of(dict, data, path).items()}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    if isinstance(kind, type) and attr.has(kind):
        return record(kind, of(dict, data, path), path)
    if kind is float:
        return of((int, float), data, path)
    return data if kind is typing.Any else of(kind, data, path)


def of(kind, data, path):
    if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
        raise ValueError(f"{path} is {type(data).__name__}")
    return data


def record(kind, data, path):
    if issubclass(kind, base.BaseFacet):
        known = FACETS.get(data.get("_schemaURL"))
        if known is None or not issubclass(known, kind):
            raise ValueError(f"{path} is no {kind.__name__}: {data.get('_schemaURL')}")
        kind = known
    hints = typing.get_type_hints(kind)
    fields = {each.name: each for each in attr.fields(kind)}
    unknown = sorted(set(data) - set(fields))
    if unknown:
        raise ValueError(f"{path} has {', '.join(unknown)}")
    given = {name: built(hints[name], value, f"{path}.{name}") for name, value in data.items()}
    set_by_client = {name: given.pop(name) for name in list(given) if not fields[name].init}
    missing = [
        name for name, each in fields.items() if each.init and each.default is attr.NOTHING and name not in given
    ]
    if missing:
        raise ValueError(f"{path} lacks {', '.join(missing)}")
    made = kind(**{fields[name].alias or name.lstrip("_"): value for name, value in given.items()})
    told = {name: value for name, value in set_by_client.items() if name in ("schemaURL", "_schemaURL")}
    wrong = [name for name, value in told.items() if getattr(made, name, value) != value]
    if wrong:
        raise ValueError(f"{path} says another {', '.join(wrong)}")
    return made


if __name__ == "__main__":
    for line in sys.stdin:
        try:
            built(event_v2.RunEvent, json.loads(line), "event")
            print()
        except (ValueError, TypeError, KeyError) as problem:
            print(f"{type(problem).__name__}: {problem}")
