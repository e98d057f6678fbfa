import pytest

from lakeloom.notify.events import failure, late, quarantine, success
from lakeloom.notify.message import compose
from tests.notify.servers import certificate

OWNERS = {"ops": ("ops@example.com", "boss@example.com"), "sales": ("sales@example.com",)}


@pytest.fixture(scope="session")
def pem(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("tls"))


def events():
    from datetime import UTC, datetime

    now = datetime(2026, 1, 2, 12, tzinfo=UTC)
    error = {"code": "LL-TABLE-005", "message": "a value can't be cast", "where": "silver.orders", "fix": "try_cast"}
    return [
        failure("silver.orders", "failed", "", error, "ops"),
        failure("gold.cities", "blocked", "silver.orders failed", None, "sales"),
        late("silver.trips", datetime(2026, 1, 1, 6, tzinfo=UTC), 86_400, now, "ops"),
        quarantine("bronze.orders", 3, 97, 0.01, None),
        success("silver.trips", 1200, 3.21, "ops"),
    ]


@pytest.fixture
def message():
    on = ("failure", "late", "quarantine")
    return compose(events(), on=on, tables=("*",), owners=OWNERS, project="shop", env="local", run="r1")
