"""The graph of what is executed, and its walks."""

import pytest

from lakeloom.core.errors import TableError
from lakeloom.core.steps import Input, Step
from lakeloom.lineage.graph import Edge, build


def step(name, kind="transform", reads=()):
    return Step(name, kind, tuple(Input(table, mode) for table, mode in reads), (name,), None)


@pytest.fixture
def lineage():
    return build(
        [
            step("bronze.orders", "land"),
            step("bronze.people", "land"),
            step("silver.orders", reads=[("bronze.orders", "new")]),
            step("silver.people", reads=[("bronze.people", "new")]),
            step("gold.cities", reads=[("silver.orders", "whole"), ("silver.people", "whole")]),
            step("features.spend", "materialise", [("silver.orders", "whole")]),
            step("datasets.late", "materialise", [("gold.cities", "whole"), ("features.spend", "whole")]),
            step("tuning.late", "tune", [("datasets.late", "whole")]),
            step("models.late", "train", [("datasets.late", "whole"), ("tuning.late", "whole")]),
            step("gold.scores", "materialise", [("datasets.late", "whole"), ("models.late", "whole")]),
        ]
    )


def names(part):
    return {node.id for node in part.nodes}


def test_each_node_has_its_kind_and_each_edge_says_how(lineage):
    assert {node.id: node.kind for node in lineage.nodes if "orders" not in node.id and "people" not in node.id} == {
        "gold.cities": "table", "features.spend": "view", "datasets.late": "dataset", "tuning.late": "study",
        "models.late": "model", "gold.scores": "table",
    }  # fmt: skip
    assert {(edge.source, edge.target): edge.how for edge in lineage.edges if edge.target == "gold.scores"} == {
        ("datasets.late", "gold.scores"): "whole", ("models.late", "gold.scores"): "scores",
    }  # fmt: skip
    assert Edge("sources.orders", "bronze.orders", "lands") in lineage.edges
    assert Edge("bronze.orders", "silver.orders", "new") in lineage.edges
    assert Edge("datasets.late", "tuning.late", "searches") in lineage.edges


def test_up_is_what_a_table_comes_from(lineage):
    assert names(lineage.up("silver.orders")) == {"sources.orders", "bronze.orders", "silver.orders"}
    assert "silver.people" in names(lineage.up("gold.scores"))


def test_down_is_what_comes_from_a_table(lineage):
    found = names(lineage.down("silver.people"))
    assert found == {"silver.people", "gold.cities", "datasets.late", "tuning.late", "models.late", "gold.scores"}


def test_between_leaves_out_what_lies_on_no_way(lineage):
    part = lineage.between("silver.orders", "datasets.late")
    assert names(part) == {"silver.orders", "gold.cities", "features.spend", "datasets.late"}
    assert all(edge.source in names(part) and edge.target in names(part) for edge in part.edges)
    assert names(lineage.between("gold.cities", "features.spend")) == set()


def test_around_is_both_and_no_sibling(lineage):
    assert names(lineage.around("features.spend")) == names(lineage.up("features.spend")) | names(
        lineage.down("features.spend")
    )
    assert "gold.cities" not in names(lineage.around("features.spend"))


def test_an_unknown_name_gets_the_nearest(lineage):
    with pytest.raises(TableError) as caught:
        lineage.up("silver.oders")
    assert caught.value.code == "LL-STORE-001"
    assert caught.value.fix == "use 'silver.orders'"


def test_the_document_has_every_node_and_edge_once(lineage):
    document = lineage.as_dict()
    assert len({node["id"] for node in document["nodes"]}) == len(document["nodes"]) == 12
    assert len({(edge["from"], edge["to"]) for edge in document["edges"]}) == len(document["edges"]) == 14
