"""``lakeloom why TABLE --key …``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakeloom.cli.options import At, Branch, Conf, Debug, Env, Json, Sample
from lakeloom.cli.shell import Shell, cell, shell

if TYPE_CHECKING:
    from lakeloom.lineage.reason import Reason


def why(
    table: Annotated[str, typer.Argument(help="layer.name, or layer.name@version, @time or @tag.")],
    key: Annotated[
        list[str],
        typer.Option("--key", metavar="COLUMN=VALUE", help="Which row; several times for a key of several columns."),
    ],
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many rows of each input to show.")] = 20,
    at: At = None,
    branch: Branch = None,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show which bronze rows, files and positions a row came from, and of a score the model and its features.

    Each step is done again for the key at the versions that it read; it starts Spark and writes nothing. No value of
    a column that may be personal is shown. JSON: {"table", "version", "key", "rows": [{"table", "version", "key",
    "values", "level": "landed", "rows", "key" or "step", "step": {"step", "epoch", "run", "at", "version", "reads",
    "commit", "changed"}, "expressions", "reproduced", "notes": [], "place": {"source", "file", "position"}, "model",
    "reads", "again", "left_out", "from": [the same]}], "bronze": [{"table", "version", "source", "file",
    "position"}], "left_out", "hidden": []}.
    """
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample, branch=branch) as out:
        from lakeloom.api.values import plain

        lake = out.open()
        found = (lake.at(at) if at else lake).why(table, _key(key), limit)
        if as_json:
            out.document(plain(found.as_dict()))
            return
        seen: set[object] = set()
        for row in found.rows:
            _show(out, row, 0, seen)
        if found.left_out:
            out.say(f"{found.left_out:,} more rows have this key: name more columns, or give --limit")
        out.say(f"{len(found.bronze):,} bronze row{'' if len(found.bronze) == 1 else 's'}")
        if found.hidden:
            out.say(f"not shown, since they may be personal: {', '.join(found.hidden)}")


def _key(words: list[str]) -> dict[str, str] | str:
    if len(words) == 1 and "=" not in words[0]:
        return words[0]
    if any("=" not in word for word in words):
        raise typer.BadParameter("give COLUMN=VALUE", param_hint="--key")
    return dict(word.split("=", 1) for word in words)


def _show(out: Shell, row: Reason, depth: int, seen: set[object]) -> None:
    """Show a row, and below it what it was made of; each row, and how an execution makes its columns, once."""
    indent = "  " * depth
    told = _told(row.key or row.values)
    out.say(f"{indent}{row.table}@{row.version}  {told}")
    if id(row) in seen:
        return
    seen.add(id(row))
    inner = f"{indent}  "
    if row.key:
        out.say(f"{inner}{_told({name: value for name, value in row.values.items() if name not in row.key})}")
    if row.place:
        position = row.place["position"]
        out.say(f"{inner}from {row.place['file']}, record {position['record']}, landed at epoch {position['epoch']}")
    if row.made is not None:
        out.say(f"{inner}by {row.made.step}, epoch {row.made.epoch}, run {row.made.run}{_judged(row)}")
    execution = (row.table, row.made.epoch if row.made else None)
    for column, expression in row.expressions.items() if execution not in seen else ():
        out.say(f"{inner}{column} = {expression}")
    seen.add(execution)
    if row.model:
        out.say(f"{inner}model {_told(row.model)}")
    for note in row.notes:
        out.say(f"{inner}note: {note}")
    for table, version in row.reads.items():
        out.say(f"{inner}reads {table}@{version}, told as a whole")
    for source in row.sources:
        _show(out, source, depth + 1, seen)
    if row.left_out:
        out.say(f"{inner}… and {row.left_out:,} more rows")


def _judged(row: Reason) -> str:
    if row.reproduced is None:
        return ""
    return ", made again the same" if row.reproduced else ", not reproduced"


def _told(values: dict[str, Any]) -> str:
    from lakeloom.api.values import plain

    return "  ".join(f"{name}={cell(plain(value))}" for name, value in values.items())
