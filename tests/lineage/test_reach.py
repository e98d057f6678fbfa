"""How far a change reaches, and how it gets there."""

from hypothesis import given
from hypothesis import strategies as st

from lakeloom.lineage.columns import ColumnGraph
from lakeloom.lineage.graph import Edge
from lakeloom.lineage.reach import Reached, Start, reached

EDGES = [
    Edge("silver.a.x", "gold.b.x", "value"),
    Edge("silver.a.y", "gold.b", "filter", "y > ?"),
    Edge("silver.a", "gold.b", "rows"),
    Edge("gold.b", "gold.b.x", "rows"),
    Edge("gold.b", "gold.b.n", "rows"),
    Edge("gold.b.x", "features.c.x", "value"),
    Edge("features.c.x", "models.m", "value"),
    Edge("models.m", "gold.s.score", "value"),
]
GRAPH = ColumnGraph(EDGES, ["silver.a", "gold.b", "features.c", "models.m", "gold.s"])


def hows(*starts, opaque=None):
    return {each.node: each.how for each in reached(GRAPH, starts, opaque)}


def test_a_value_goes_on_as_a_value():
    assert hows(Start("silver.a.x")) == {
        "gold.b.x": ("value",), "features.c.x": ("value",), "models.m": ("value",), "gold.s.score": ("value",),
    }  # fmt: skip


def test_what_filters_reaches_every_column_of_the_table_and_stays_a_filter():
    found = hows(Start("silver.a.y"))
    assert found["gold.b"] == found["gold.b.n"] == found["gold.s.score"] == ("filter",)


def test_rows_reach_all_that_is_made_of_them():
    found = hows(Start("silver.a"))
    assert found["gold.b.n"] == ("rows",)
    assert found["silver.a.x"] == ("rows",)
    assert found["gold.s.score"] == ("rows",)


def test_several_ways_are_all_told_with_where_they_come_from():
    found = {each.node: each for each in reached(GRAPH, [Start("silver.a.x"), Start("silver.a.y", sure=False)])}
    assert found["gold.b.x"] == Reached("gold.b.x", ("value", "filter"), True, ("silver.a.x", "silver.a.y"))
    assert found["gold.b.n"] == Reached("gold.b.n", ("filter",), False, ("silver.a.y",))


def test_a_model_that_is_changed_reaches_its_scores_as_a_value():
    assert hows(Start("models.m")) == {"gold.s.score": ("value",)}


def test_through_a_step_that_tells_nothing_anything_may_flow():
    (found,) = reached(GRAPH, [Start("gold.s.score")], {"gold.s": ["gold.report"]})
    assert found == Reached("gold.report", ("step",), False, ("gold.s.score",))
    assert hows(Start("gold.s.score"), opaque={"gold.s": ["gold.b"]})["features.c.x"] == ("step",)


@given(st.lists(st.tuples(*[st.sampled_from("abcdef")] * 2, st.sampled_from(["value", "filter", "step"])), max_size=30))
def test_it_is_what_lineage_finds_downwards(pairs):
    """Whatever the graph, circles too: the nodes are those of ``--down``, and the walk ends."""
    edges = [Edge(f"gold.t.{one}", f"gold.u.{other}", how) for one, other, how in pairs]
    edges += [Edge(f"gold.u.{other}", f"gold.t.{one}", how) for one, other, how in pairs[::2]]
    graph = ColumnGraph(edges, ["gold.t", "gold.u"])
    for node in sorted(graph.ids - graph.tables):
        down = {each.id for each in graph.down(node).nodes} - {node}
        assert {each.node for each in reached(graph, [Start(node)])} == down
