"""A root in a store whose line breaks is told as such, and neither as damaged nor as unwritable."""

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from lakeloom.core.errors import SourceError
from lakeloom.flow.explain import explained
from lakeloom.project.sampling import storage_root
from lakeloom.store.away import away
from lakeloom.store.lake import Lake
from lakeloom.store.meta import append, rows


@pytest.fixture
def behind(bucket_of, ports, spoilt_lines, tmp_path):
    """Give a lake whose root is reached by a line, a function that spoils it, and one that mends it."""
    bucket = bucket_of("s3")
    line = f"away-{bucket.root[5:]}"
    port = spoilt_lines.lay(line, ports("s3"))
    ((root, told),) = bucket.stores.items()
    stores = {root: told | {"endpoint": f"http://127.0.0.1:{port}", "connect_s": 1, "read_s": 2}}
    lake = Lake(storage_root(tmp_path, f"{root}/lake", stores=stores))
    yield lake, lambda kind, **how: spoilt_lines.spoil(line, kind, **how), lambda: spoilt_lines.mend(line)
    spoilt_lines.mend(line)


def test_a_line_that_breaks_is_neither_damage_nor_a_full_disk(behind):
    lake, spoil, mend = behind
    columns, row = {"a": "long"}, [{"a": 1}]
    append(lake, "meta.some", columns, row)
    opened = lake.delta("meta.some")
    spoil("limit_data", bytes=100)
    for work in (
        lambda: rows(lake, "meta.some"),
        lambda: append(lake, "meta.some", columns, row),
        lambda: lake.arrow("meta.some"),
    ):
        with pytest.raises(SourceError) as caught:
            work()
        assert (caught.value.code, caught.value.transient) == ("LL-SOURCE-001", True)
    # Past the look whether the table is there, by delta-rs alone.
    with pytest.raises(Exception) as raw:
        write_deltalake(opened.table_uri, pa.table({"a": [2]}), mode="append", storage_options=lake.options)
    assert explained(raw.value, "meta.some").code == "LL-SOURCE-001", raw.value
    mend()
    assert rows(lake, "meta.some") == row


@pytest.mark.parametrize(
    ("text", "is_away"),
    [
        ("Object at location x.parquet not found: Server returned non-2xx status code: 404", False),
        ("Parquet error: Failed to fetch metadata: error sending request", True),
        ("java.io.FileNotFoundException: No such file or directory: s3a://b/x.parquet", False),
        ("java.net.ConnectException: Connection refused on jdbc:postgresql", False),
        ("org.apache.hadoop.fs.s3a.AWSClientIOException: on s3a://b/x: Unable to execute HTTP request", True),
        ("java.net.SocketTimeoutException: Read timed out while opening gs://b/x", True),
    ],
)
def test_a_file_that_is_not_there_is_no_broken_line(text, is_away):
    assert (away(text, "bronze.x") is not None) == is_away
