import json

from lakeloom.core.secrets import Secret
from lakeloom.notify.events import Event, failure
from lakeloom.notify.message import SHOWN, compose
from tests.notify.conftest import OWNERS, events


def composed(found, on=("failure", "late", "quarantine", "success"), tables=("*",)):
    return compose(found, on=on, tables=tables, owners=OWNERS, project="shop", env="local", run="r1")


def test_subject_and_text_say_what_where_and_whose(message):
    assert (
        message.subject
        == "[shop/local] 2 failed, 1 late, 1 much quarantine: silver.orders, gold.cities, silver.trips, …"
    )
    text = message.text()
    for part in ("FAILED  silver.orders  LL-TABLE-005", "fix: try_cast", "owner: ops", "blocked: silver.orders failed",
                 "LATE  silver.trips", "3 of 100 rows (3.00%)", "lakeloom logs r1"):  # fmt: skip
        assert part in text
    assert message.owners == {"ops": OWNERS["ops"], "sales": OWNERS["sales"]}
    assert json.loads(json.dumps(message.as_dict()))["events"][0]["code"] == "LL-TABLE-005"


def test_a_channel_is_told_only_what_is_its_business():
    found = composed(events(), on=("failure",), tables=("gold.*",))
    assert [event.subject for event in found.events] == ["gold.cities"]
    assert set(found.owners) == {"sales"}
    assert composed(events(), tables=("models.*",)) is None
    assert composed(events(), on=()) is None
    broke = failure("run", "broke down", "", {"code": "LL-STORE-004", "message": "no place"}, None)
    assert composed([broke], tables=("models.*",)).events == (broke,)


def test_no_secret_reaches_a_message():
    Secret("wombat-lantern-3")
    found = composed(
        [Event("failure", "silver.a", "jdbc:x://u:hidden99@h and wombat-lantern-3", fix="password=hidden98")]
    )
    for text in (found.text(), json.dumps(found.as_dict())):
        assert not any(secret in text for secret in ("hidden99", "hidden98", "wombat-lantern-3"))


def test_a_storm_of_failures_stays_readable():
    found = composed([Event("failure", f"silver.t{n}", "failed") for n in range(SHOWN + 5)])
    assert "… and 5 more" in found.text() and f"{SHOWN + 5} failed" in found.subject
