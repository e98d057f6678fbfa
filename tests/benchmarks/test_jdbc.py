import json

from benchmarks.jdbc import result
from benchmarks.landed import Cost, lay_out
from lakeloom.sources.jdbc import JdbcConfig


def test_ratios_are_medians_of_rounds_and_targets_are_held():
    found = {
        "ours": [10.0, 12.0, 11.0],
        "plain": [60.0, 30.0, 33.0],
        "fetching": [20.0, 18.0, 22.0],
        "copy": [6.0, 6.0, 6.6],
    }
    costs = [Cost(1_000_000, 13.0, 100, 900), Cost(5_000_000, 25.0, 100, 900), Cost(20_000_000, 74.5, 105, 2000)]
    made = result(found, costs, 5_000_000)
    assert made.comparisons == {"vs_plain_spark": 3.0, "vs_fetching_spark": 2.0, "vs_copy": 0.6}
    assert (made.figures["growth"], made.figures["a_million_up_to_20_s"]) == (1.1, 3.3)
    met = {target.figure: target.met(made.figures) for target in made.targets}
    assert met == {"vs_plain_spark": True, "vs_copy": False, "growth": False, "python_memory_growth": True}


def test_the_project_says_where_the_table_is_and_nothing_else(tmp_path):
    lay_out(tmp_path, {"url": "jdbc:postgresql://127.0.0.1:1/postgres", "driver": "org.postgresql.Driver", "user": "u"})
    written = (tmp_path / "conf" / "trips" / "sources.yml").read_text().partition("trips: ")[2]
    config = JdbcConfig.model_validate(json.loads(written))
    assert (config.partitions, config.incremental, config.keys, config.connections) == (None, None, (), None)
