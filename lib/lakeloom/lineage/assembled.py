"""What executions have told → the graph of all columns at their newest versions, or of one version of a table."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from lakeloom.core.errors import TableError
from lakeloom.lineage.columns import NAME, ColumnGraph
from lakeloom.lineage.flows import Flow, Flows
from lakeloom.lineage.graph import Edge
from lakeloom.lineage.made import Executions, Kept, Made


def newest(executions: Executions, kept: Kept) -> ColumnGraph:
    """Return the graph of the newest version of every table."""
    edges: list[Edge] = []
    renamed: dict[str, str] = {}
    notes: dict[str, str] = {}
    made = executions.newest
    for table, each in made.items():
        flows = kept.of(each.key)
        if flows is not None:
            edges += edges_of(table, flows, {})
            renamed |= {f"{table}.{old}": f"{table}.{new}" for new, old in flows.renamed.items()}
            notes[table] = flows.note
    return ColumnGraph(_completed(edges, made.keys()), made.keys(), renamed, notes)


def at_version(executions: Executions, kept: Kept, table: str, version: int) -> ColumnGraph:
    """Return the graph of what one version of a table was made of, and of what was made of it.

    Raises
    ------
    TableError
        LL-STORE-001 where no execution has made that version.
    """
    start = executions.producing(table, version)
    if start is None:
        fix = f"see 'lakeloom history {table}'"
        raise TableError("LL-STORE-001", f"no execution has made {table}@{version}", fix=fix)
    found = {start: _pinned(start, version)}
    for forward in (False, True):
        todo, seen = [start], {start}
        while todo:
            each = todo.pop()
            for other in executions.readers(each) if forward else _inputs(executions, each):
                if other not in seen:
                    seen.add(other)
                    found[other] = _pinned(other)
                    todo.append(other)
    edges: list[Edge] = []
    notes: dict[str, str] = {}
    for made, name in found.items():
        flows = kept.of(made.key)
        if flows is not None:
            edges += edges_of(name, flows, _names(executions, made, found))
            notes[name] = flows.note
    return ColumnGraph(_completed(edges, found.values()), found.values(), notes=notes)


def _names(executions: Executions, made: Made, found: dict[Made, str]) -> dict[str, str]:
    """Return table → node of what an execution has read."""
    names = {}
    for table, version in made.reads.items():
        origin = executions.producing(table, version, made.run)
        names[table] = found.get(origin, f"{table}@{version}") if origin else f"{table}@{version}"
    return names


def edges_of(table: str, flows: Flows, names: dict[str, str]) -> list[Edge]:
    """Return the edges of one write.

    Parameters
    ----------
    table : str
        The node that is written.
    names : dict
        Table → the name of its node, where that is another.
    """
    edges = [_edge(flow, table, names) for flow in flows.rows]
    inward = "step" if flows.basis == "step" else "rows"
    for column, made in flows.columns.items():
        target = f"{table}.{column}"
        if flows.rows:
            edges.append(Edge(table, target, inward))
        for flow in made.flows:
            edge = _edge(flow, target, names)
            edges.append(Edge(edge.source, target, flow.how, flow.expression or made.expression))
    return edges


def _edge(flow: Flow, target: str, names: dict[str, str]) -> Edge:
    source = names.get(flow.table, flow.table)
    return Edge(f"{source}.{flow.column}" if flow.column else source, target, flow.how, flow.expression)


def _inputs(executions: Executions, made: Made) -> Iterable[Made]:
    for table, version in made.reads.items():
        found = executions.producing(table, version, made.run)
        if found is not None:
            yield found


def _pinned(made: Made, version: int | None = None) -> str:
    return f"{made.table}@{made.version if version is None else version}"


def _completed(edges: list[Edge], tables: Collection[str]) -> list[Edge]:
    """Add what goes without saying: a column goes where its table goes as a whole, and into its own fields."""
    opaque: dict[str, list[Edge]] = {}
    for edge in edges:
        if edge.how == "step" and edge.source in tables and edge.target != edge.source:
            opaque.setdefault(edge.source, []).append(edge)
    columns = sorted({each for edge in edges for each in (edge.source, edge.target)} - set(tables))
    more = []
    for column in columns:
        holder = column[: len(column) - len(_column(column)) - 1]
        onward = (edge.target for edge in opaque.get(holder, ()) if not edge.target.startswith(f"{holder}."))
        more += [Edge(column, target, "step") for target in onward]
    return edges + more + _fields(edges)


def _fields(edges: list[Edge]) -> list[Edge]:
    fields = {edge.source for edge in edges if _column(edge.source).count(".")}
    known = {each for edge in edges for each in (edge.source, edge.target)}
    more = []
    for each in sorted(fields):
        holder = each.rpartition(".")[0]
        while _column(holder):
            if holder in known or not _column(holder).count("."):
                more.append(Edge(holder, each, "field"))
                break
            holder = holder.rpartition(".")[0]
    return more


def _column(node: str) -> str:
    found = NAME.fullmatch(node)
    return found[3] or "" if found else ""
