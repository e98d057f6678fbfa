"""Where the nodes of a lineage graph go: layers from left to right, few crossings, short edges.

A small form of Sugiyama's method (Sugiyama, Tagawa, Toda 1981): a node's column is the longest way
to it, but never left of its kind's usual place; edges that pass over columns get a waypoint in each;
the order inside a column is improved by barycentre sweeps; heights are the least-squares fit to
the neighbours' heights under the order and a minimal distance (pool adjacent violators), which is
why no two boxes can overlap. The result depends on the graph alone, not on the order it is given in.
Edges to unknown nodes, loops and the edges that close a cycle take no part in the layering.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass

from lakeloom.pages.model import Edge, Node

WIDTH, HEIGHT = 140.0, 44.0
COLUMN_GAP, ROW_GAP, WAYPOINT = 34.0, 9.0, 12.0
TOP, MARGIN = 40.0, 6.0
_PLACE = {
    # far enough apart that tables made from tables of their own kind stay left of the next kind
    "source": 0, "bronze": 100, "silver": 200, "quarantine": 200, "gold": 300, "features": 300, "feature": 300,
    "dataset": 400, "datasets": 400, "model": 500, "scores": 600,
}  # fmt: skip
_SWEEPS = 12


@dataclass(frozen=True)
class Box:
    """A node's rectangle in user units."""

    x: float
    y: float
    width: float = WIDTH
    height: float = HEIGHT


@dataclass(frozen=True)
class Column:
    """A column's left end and the kinds that stand in it, most frequent first."""

    x: float
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """Boxes by node, a line of points by edge, the columns, and the size of the whole."""

    boxes: dict[str, Box]
    lines: dict[tuple[str, str], list[tuple[float, float]]]
    columns: list[Column]
    width: float
    height: float


def place(nodes: Sequence[Node], edges: Sequence[Edge]) -> Layout:
    """Lay a graph out; any number of nodes, in any shape."""
    kinds = {node.id: node.kind for node in nodes}
    pairs = sorted({(e.upstream, e.downstream) for e in edges if e.upstream in kinds and e.downstream in kinds})
    pairs = [pair for pair in pairs if pair[0] != pair[1]]
    ranks = _ranks(kinds, _acyclic(sorted(kinds), pairs))
    columns, links, chains = _layers(kinds, pairs, ranks)
    columns = _ordered(columns, links)
    heights = _heights(columns, links)
    lefts = [MARGIN + index * (WIDTH + COLUMN_GAP) for index in range(len(columns))]
    boxes = {name: Box(lefts[ranks[name]], heights[name] - HEIGHT / 2) for name in kinds}
    lines = {pair: _line(chain, ranks[pair[0]], ranks[pair[1]], lefts, heights) for pair, chain in chains.items()}
    tallest = max((box.y + box.height for box in boxes.values()), default=TOP)
    lowest = max((point[1] for points in lines.values() for point in points), default=tallest)
    width = len(columns) * (WIDTH + COLUMN_GAP) - (COLUMN_GAP if columns else 0) + 2 * MARGIN
    titles = [Column(left, _kinds_of(column, kinds)) for left, column in zip(lefts, columns, strict=True)]
    return Layout(boxes, lines, titles, width, max(tallest, lowest) + MARGIN)


def _acyclic(names: Sequence[str], pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Drop the edges that a depth-first walk finds leading back; without recursion, graphs may be deep."""
    after: dict[str, list[str]] = {name: [] for name in names}
    for start, end in pairs:
        after[start].append(end)
    entered = {end for _, end in pairs}
    open_, closed, kept = set(), set(), []
    for root in sorted(names, key=lambda name: (name in entered, name)):
        if root in closed:
            continue
        walk = [(root, iter(after[root]))]
        open_.add(root)
        while walk:
            name, rest = walk[-1]
            following = next(rest, None)
            if following is None:
                open_.discard(name)
                closed.add(name)
                walk.pop()
            elif following not in open_:
                kept.append((name, following))
                if following not in closed:
                    open_.add(following)
                    walk.append((following, iter(after[following])))
    return kept


def _ranks(kinds: dict[str, str], pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return each node's column: at least its kind's place, right of all it is made from, none empty."""
    waiting = dict.fromkeys(kinds, 0)
    after: dict[str, list[str]] = {name: [] for name in kinds}
    for start, end in pairs:
        waiting[end] += 1
        after[start].append(end)
    ranks = {name: _PLACE.get(kind, 0) for name, kind in kinds.items()}
    ready = [name for name, left in waiting.items() if not left]
    while ready:
        name = ready.pop()
        for end in after[name]:
            ranks[end] = max(ranks[end], ranks[name] + 1)
            waiting[end] -= 1
            if not waiting[end]:
                ready.append(end)
    dense = {rank: index for index, rank in enumerate(sorted(set(ranks.values())))}
    return {name: dense[rank] for name, rank in ranks.items()}


def _layers(
    kinds: dict[str, str], pairs: Sequence[tuple[str, str]], ranks: dict[str, int]
) -> tuple[list[list[str]], list[tuple[str, str]], dict[tuple[str, str], list[str]]]:
    """Return the columns with waypoints added, the links between neighbours, and each edge's chain."""
    columns: list[list[str]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for name in sorted(kinds, key=lambda each: (kinds[each], each)):
        columns[ranks[name]].append(name)
    links: list[tuple[str, str]] = []
    chains: dict[tuple[str, str], list[str]] = {}
    for start, end in pairs:
        low, high = sorted((ranks[start], ranks[end]))
        ways = [f"\0{start}\0{end}\0{rank}" for rank in range(low + 1, high)]
        for rank, way in zip(range(low + 1, high), ways, strict=True):
            columns[rank].append(way)
        chain = [start, *(ways if ranks[start] <= ranks[end] else reversed(ways)), end]
        chains[start, end] = chain
        steps = chain if ranks[start] <= ranks[end] else chain[::-1]
        if low != high:
            links.extend(itertools.pairwise(steps))
    return columns, links, chains


def _ordered(columns: list[list[str]], links: list[tuple[str, str]]) -> list[list[str]]:
    """Sweep to and fro by barycentres; keep the order with the fewest crossings seen."""
    before, after = _neighbours(links)
    best, fewest = [list(column) for column in columns], _crossings(columns, after)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        indices = range(1, len(columns)) if forward else range(len(columns) - 2, -1, -1)
        for index in indices:
            fixed = columns[index - 1 if forward else index + 1]
            at = {name: position for position, name in enumerate(fixed)}
            near = before if forward else after
            own = {name: position for position, name in enumerate(columns[index])}
            scaled = len(fixed) / max(len(own), 1)
            columns[index].sort(key=lambda name: _mean([at[n] for n in near.get(name, ())], own[name] * scaled))
        crossings = _crossings(columns, after)
        if crossings < fewest:
            best, fewest = [list(column) for column in columns], crossings
    return best


def _neighbours(links: list[tuple[str, str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for start, end in links:
        after.setdefault(start, []).append(end)
        before.setdefault(end, []).append(start)
    return before, after


def _crossings(columns: list[list[str]], after: dict[str, list[str]]) -> int:
    total = 0
    for left, right in itertools.pairwise(columns):
        at = {name: position for position, name in enumerate(right)}
        seen: list[int] = []
        for name in left:
            ends = sorted(at[end] for end in after.get(name, ()))
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _heights(columns: list[list[str]], links: list[tuple[str, str]]) -> dict[str, float]:
    """Return every node's and waypoint's centre, no nearer to its neighbours than their boxes need."""
    before, after = _neighbours(links)
    centres: dict[str, float] = {}
    for column in columns:
        centres.update(_apart(column, [0.0] * len(column)))
    for sweep in range(2 * _SWEEPS):
        near = before if sweep % 2 == 0 else after
        for column in columns if sweep % 2 == 0 else reversed(columns):
            wanted = [_mean([centres[n] for n in near.get(name, ())], centres[name]) for name in column]
            centres.update(_apart(column, wanted))
    top = min((centre - _room(name) / 2 for name, centre in centres.items()), default=0.0)
    return {name: centre - top + TOP for name, centre in centres.items()}


def _apart(column: Sequence[str], wanted: Sequence[float]) -> dict[str, float]:
    """Fit centres to `wanted`, in this order and apart: pool adjacent violators on wanted minus offset."""
    offsets, reach = [], 0.0
    for index, name in enumerate(column):
        if index:
            reach += (_room(column[index - 1]) + _room(name)) / 2
        offsets.append(reach)
    blocks: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        value, size = want - offset, 1
        while blocks and blocks[-1][0] > value:
            other, members = blocks.pop()
            value, size = (value * size + other * members) / (size + members), size + members
        blocks.append((value, size))
    fitted = [value for value, size in blocks for _ in range(size)]
    return {name: value + offset for name, value, offset in zip(column, fitted, offsets, strict=True)}


def _room(name: str) -> float:
    return WAYPOINT if name.startswith("\0") else HEIGHT + ROW_GAP


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _line(
    chain: list[str], first: int, last: int, lefts: list[float], heights: dict[str, float]
) -> list[tuple[float, float]]:
    """Return the points of an edge: out of the right side, past each waypoint, into the left side."""
    forward = 1 if last >= first else -1
    out, into = (WIDTH, 0.0) if forward > 0 else (0.0, WIDTH)
    points = [(lefts[first] + out, heights[chain[0]])]
    for step, way in enumerate(chain[1:-1], start=1):
        left = lefts[first + forward * step]
        points += [(left + WIDTH - out, heights[way]), (left + out, heights[way])]
    return [*points, (lefts[last] + into, heights[chain[-1]])]


def _kinds_of(column: Sequence[str], kinds: dict[str, str]) -> tuple[str, ...]:
    seen = [kinds[name] for name in column if name in kinds]
    return tuple(sorted(set(seen), key=lambda kind: (-seen.count(kind), kind)))
