from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from lakeloom.store.newest import newest

TABLE = "silver.a"


def write(lake, values, kind, **options):
    write_deltalake(lake.path(TABLE), pa.table({"at": pa.array(values, kind)}), mode="append", **options)


@pytest.mark.parametrize(
    ("kind", "values", "found"),
    [
        (pa.timestamp("us", "UTC"), [datetime(2026, 1, 1, tzinfo=UTC), None], datetime(2026, 1, 1, tzinfo=UTC)),
        (pa.timestamp("us"), [datetime(2026, 1, 1, 5)], datetime(2026, 1, 1, 5, tzinfo=UTC)),
        (pa.date32(), [date(2026, 1, 1)], datetime(2026, 1, 1, tzinfo=UTC)),
        (pa.date32(), [None, None], None),
        (pa.date32(), [], None),
    ],
)
def test_the_largest_time_in_utc(lake, kind, values, found):
    write(lake, values, kind)
    assert newest(lake, TABLE, 0, "at") == found


def test_files_without_statistics_are_read(lake):
    write(lake, [date(2026, 1, 1)], pa.date32(), configuration={"delta.dataSkippingNumIndexedCols": "0"})
    write(lake, [date(2026, 3, 1)], pa.date32())
    assert newest(lake, TABLE, 1, "at") == datetime(2026, 3, 1, tzinfo=UTC)
    assert newest(lake, TABLE, 0, "at") == datetime(2026, 1, 1, tzinfo=UTC)
