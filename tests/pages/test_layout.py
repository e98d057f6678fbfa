"""The lineage layout alone: no overlap, layers from left to right, any graph."""

from __future__ import annotations

import itertools
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from lakeloom.pages.layout import Box, Layout, place
from lakeloom.pages.model import Edge, Node
from tests.pages import sample

KINDS = ("source", "bronze", "silver", "gold", "features", "dataset", "model", "scores", "odd")


def overlapping(layout: Layout) -> list[tuple[str, str]]:
    def meet(a: Box, b: Box) -> bool:
        return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height

    return [(m, n) for (m, a), (n, b) in itertools.combinations(layout.boxes.items(), 2) if meet(a, b)]


def test_forty_nodes_do_not_overlap_and_flow_to_the_right() -> None:
    graph = sample.lineage()
    assert len(graph.nodes) >= 40
    layout = place(graph.nodes, graph.edges)
    assert overlapping(layout) == []
    assert set(layout.boxes) == {node.id for node in graph.nodes}
    for edge in graph.edges:
        assert layout.boxes[edge.upstream].x < layout.boxes[edge.downstream].x
    for box in layout.boxes.values():
        assert box.x >= 0 and box.x + box.width <= layout.width
        assert box.y >= 0 and box.y + box.height <= layout.height


def test_no_edge_runs_through_a_box_of_another_column() -> None:
    graph = sample.lineage()
    layout = place(graph.nodes, graph.edges)
    for pair, points in layout.lines.items():
        for (x1, y1), (x2, y2) in itertools.pairwise(points):
            if y1 == y2 and x2 - x1 > 1:
                others = ((name, box) for name, box in layout.boxes.items() if name not in pair)
                passed = [(name, box) for name, box in others if x1 < box.x + box.width and box.x < x2]
                inside = [name for name, box in passed if box.y < y1 < box.y + box.height]
                assert inside == [], (pair, inside)


def test_kinds_stand_in_the_order_of_the_data() -> None:
    graph = sample.lineage()
    titles = [column.kinds[0] for column in place(graph.nodes, graph.edges).columns]
    assert titles == ["source", "bronze", "silver", "silver", "features", "dataset", "model", "scores", "gold"]


def test_the_order_of_the_input_does_not_matter() -> None:
    graph = sample.lineage()
    assert place(graph.nodes, graph.edges) == place(graph.nodes[::-1], graph.edges[::-1])


def test_a_simple_chain_is_straight() -> None:
    nodes = [Node("a", "source"), Node("bronze.a", "bronze"), Node("silver.a", "silver")]
    layout = place(nodes, [Edge("a", "bronze.a"), Edge("bronze.a", "silver.a")])
    assert len({box.y for box in layout.boxes.values()}) == 1


def test_cycles_loops_and_unknown_ends_do_no_harm() -> None:
    nodes = [Node("a", "gold"), Node("b", "gold"), Node("c", "gold")]
    edges = [Edge("a", "b"), Edge("b", "c"), Edge("c", "a"), Edge("a", "a"), Edge("a", "gone"), Edge("a", "b", "twice")]
    layout = place(nodes, edges)
    assert overlapping(layout) == []
    assert set(layout.lines) == {("a", "b"), ("b", "c"), ("c", "a")}
    assert place([], []).boxes == {}


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.data())
def test_any_graph_is_laid_out_without_overlap(count: int, data: st.DataObject) -> None:
    nodes = [Node(f"n{index}", data.draw(st.sampled_from(KINDS))) for index in range(count)]
    ends = st.integers(0, count - 1)
    pairs = data.draw(st.lists(st.tuples(ends, ends), max_size=80))
    layout = place(nodes, [Edge(f"n{a}", f"n{b}") for a, b in pairs])
    assert overlapping(layout) == []
    assert len(layout.lines) == len({pair for pair in pairs if pair[0] != pair[1]})


def test_four_hundred_nodes_take_seconds_at_most() -> None:
    nodes = [Node(f"n{index}", KINDS[index * 8 // 400]) for index in range(400)]
    edges = [Edge(f"n{index}", f"n{min(399, index + 40 + index % 17)}") for index in range(390)]
    began = time.perf_counter()
    assert overlapping(place(nodes, edges)) == []
    assert time.perf_counter() - began < 10
