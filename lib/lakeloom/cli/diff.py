"""``lakeloom diff TABLE A [B]``."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakeloom.cli.options import Branch, Conf, Debug, Env, ExitCode, Json, Sample
from lakeloom.cli.radius import leave, reach
from lakeloom.cli.radius import show as show_radius
from lakeloom.cli.shell import Shell, shell, size

if TYPE_CHECKING:
    from lakeloom.flow.compare import Comparison
    from lakeloom.flow.radius import Radius


class Engine(StrEnum):
    """Who reads."""

    auto = "auto"
    delta = "delta"
    spark = "spark"


def diff(
    table: Annotated[str | None, typer.Argument(help="layer.name; with --branch, all that it has written.")] = None,
    before: Annotated[str | None, typer.Argument(metavar="A", help="A version, a time or a tag.")] = None,
    after: Annotated[str | None, typer.Argument(metavar="[B]", help="The same; the last good version.")] = None,
    key: Annotated[
        list[str] | None, typer.Option("--key", metavar="COLUMN", help="What tells rows apart [the declared keys].")
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=0, help="Show so many rows of each kind.")] = 0,
    whole: Annotated[
        bool, typer.Option("--whole", help="Show how all rows are distributed too; reads both versions whole.")
    ] = False,
    engine: Annotated[
        Engine, typer.Option("--engine", help="auto takes Spark only for what deltalake can't read.")
    ] = Engine.auto,
    exit_code: ExitCode = False,
    branch: Branch = None,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show how two versions of a table differ: columns, rows by key, values of the rows that differ, what they reach.

    Only the data files that the two don't share are read. Columns whose names begin with _ are compared by type
    only; no value of a column that may be personal is shown. JSON: {"same", "before", "after": {"table", "version",
    "rows", "files"}, "read": {"files", "bytes"}, "schema": {"added", "dropped", "retyped", "renamed"}, "keys": [],
    "rows": {"added", "removed", "changed": null without keys}, "columns": {column: rows that differ in it},
    "spread": {column: {"before", "after": {"nulls", "distinct", "min", "max", "mean"}}} of the rows that differ,
    "whole": the same of all rows, with "deviation" and "median" ("distinct" and "median" are estimates),
    "hidden": [], "examples": {"added", "removed": [], "changed": [{"key", "values": {column: [before, after]}}]},
    "engine", "reached": [{"id", "kind", "how", "sure", "of", "owner"}]}. With --branch and no A, what the branch has
    written is compared with what main had when it was made: {table: the same, or null for a table that main does not
    have}. Without a table: how code, config and schema differ from what has run, and what that reaches; its JSON is
    the "radius" of 'lakeloom plan'. With --exit-code: 0 the same, 3 not, 4 what is published would break.
    """
    if table is not None and before is None and branch is None:
        raise typer.BadParameter("name a version of the table", param_hint="A")
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample, branch=branch) as out:
        from lakeloom.api.values import plain

        lake = out.open()
        if table is None and branch is None:
            _project(out, lake.radius(), exit_code=exit_code)
            return
        if table is None or before is None:
            changes = lake.changes(*([table] if table else ()), examples=rows, whole=whole)
            _branch(out, changes)
            leave(changes=exit_code and bool(changes))
            return
        found = lake.diff(table, before, after, keys=tuple(key or ()), examples=rows, whole=whole, engine=engine.value)
        if as_json:
            out.document(plain(found.as_dict()))
        else:
            show(out, found)
        leave(changes=exit_code and not found.same)


def _project(out: Shell, radius: Radius, *, exit_code: bool) -> None:
    if out.as_json:
        out.document(radius.as_dict())
    elif radius.nothing:
        out.say("nothing differs from what has run")
    else:
        show_radius(out, radius)
    if exit_code:
        leave(changes=not radius.nothing, breaks=bool(radius.breaking))


def _branch(out: Shell, found: dict[str, Comparison | None]) -> None:
    from lakeloom.api.values import plain

    if out.as_json:
        out.document({table: None if each is None else plain(each.as_dict()) for table, each in found.items()})
        return
    if not found:
        out.say("the branch has written nothing that main does not have")
    for table, each in found.items():
        if each is None:
            out.say(f"{table} is new")
        else:
            show(out, each)
        out.say()


def show(out: Shell, found: Comparison) -> None:
    """Show a comparison to people."""
    then, now = found.before, found.after
    out.say(f"{then['table']}@{then['version']} → {now['table']}@{now['version']}: {_rows(then)} → {_rows(now)} rows")
    if found.same:
        out.say("the same rows and columns")
        return
    schema = found.schema
    told = [(name, f"added, {kind}") for name, kind in schema.added.items()]
    told += [(name, f"dropped, was {kind}") for name, kind in schema.dropped.items()]
    told += [(name, f"{was} → {now}") for name, (was, now) in schema.retyped.items()]
    told += [(was, f"renamed to {now}") for was, now in schema.renamed.items()]
    if told:
        out.table(("column", "what became of it"), told)
    changed = "" if found.changed is None else f", {found.changed:,} changed"
    by = f" by {', '.join(found.keys)}" if found.keys else " (no keys are declared: whole rows are compared)"
    out.say(f"rows{by}: {found.added:,} added, {found.removed:,} removed{changed}")
    named = [name for name in found.spread if name in found.columns or found.added or found.removed]
    _figures(out, found, "of the rows that differ", {name: found.spread[name] for name in named})
    _figures(out, found, "of all rows", found.whole)
    _examples(out, found)
    if found.hidden:
        out.say(f"not shown, since they may be personal: {', '.join(found.hidden)}")
    reach(out, found.reached)
    read = f"{found.read['files']:,} of {then['files'] + now['files']:,} files read ({size(found.read['bytes'])})"
    out.say(f"{read}, by {found.engine}")


def _figures(out: Shell, found: Comparison, title: str, of: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """Show figures of columns before and after, those that any column has."""
    from lakeloom.api.values import plain
    from lakeloom.flow.compare import FIGURES

    if not of:
        return
    kinds = [kind for kind in FIGURES if any(kind in both["after"] for both in of.values())]
    rows = [
        (
            name,
            found.columns.get(name),
            *(_pair(plain(both["before"].get(kind)), plain(both["after"].get(kind))) for kind in kinds),
        )
        for name, both in of.items()
    ]
    out.table((title, "changed in", *kinds), rows, right=("changed in",))


def _examples(out: Shell, found: Comparison) -> None:
    from lakeloom.api.values import plain

    for kind in ("added", "removed"):
        rows = found.examples.get(kind)
        if rows:
            out.say(f"{kind}:")
            out.table(list(rows[0]), [[plain(value) for value in row.values()] for row in rows])
    rows = found.examples.get("changed")
    if rows:
        out.say("changed:")
        told = []
        for row in rows:
            key = " ".join(str(plain(value)) for value in row["key"].values())
            told += [(key, name, plain(was), plain(now)) for name, (was, now) in row["values"].items()]
        out.table((" ".join(found.keys), "column", "before", "after"), told)


def _rows(side: dict[str, Any]) -> str:
    return "?" if side["rows"] is None else f"{side['rows']:,}"


def _pair(before: Any, after: Any) -> str:
    from lakeloom.cli.shell import cell

    return "" if before is None and after is None else f"{cell(before) or '—'} → {cell(after) or '—'}"
