from lakeloom.config.load import read
from lakeloom.project.about import about, keys_of
from lakeloom.project.check import checked
from tests.shop import lay_out as shop
from tests.trips import lay_out as trips


def test_a_table_says_what_its_declaration_says(tmp_path):
    conf = shop(tmp_path)
    tables, fresh = conf / "shop" / "tables.yml", "    freshness: 36 hours\n    event_time: ordered_on\n"
    tables.write_text(
        tables.read_text()
        .replace("    owner: shop-data\n", "    owner: shop-data\n    description: One row an order.\n" + fresh)
        .replace("customer: {type: string}", "customer: {type: string, tags: [pii, sensitive]}")
    )
    project = checked(read(conf))
    assert about(project, "silver.orders") == {
        "comment": "One row an order.",
        "lakeloom.owner": "shop-data",
        "lakeloom.keys": "order_id",
        "lakeloom.freshness": "36 hours",
        "lakeloom.event_time": "ordered_on",
        "lakeloom.unit.amount": "euro",
        "lakeloom.tags.customer": "pii,sensitive",
    }
    assert about(project, "quarantine.silver__orders") == {
        "comment": "What silver.orders could not take, with the reasons.",
        "lakeloom.owner": "shop-data",
    }
    assert about(project, "bronze.orders") == about(project, "gold.nothing") == {}


def test_features_datasets_and_scores_do_too(tmp_path):
    project = checked(read(trips(tmp_path)))
    assert about(project, "features.lines") == {"lakeloom.keys": "line"}
    assert about(project, "datasets.late_trips") == {"comment": "Trips as known an hour before they leave."}
    assert about(project, "gold.trip_scores") == {}
    assert keys_of(project, "gold.trip_scores") == keys_of(project, "datasets.late_trips") == ("id", "day")
