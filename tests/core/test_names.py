"""Names become paths and SQL identifiers: nothing else may get through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakeloom.core.errors import TableError
from lakeloom.core.names import LAYERS, TableName, TableRef


@given(layer=st.sampled_from(LAYERS), name=st.from_regex(r"[a-z_][a-z0-9_]{0,40}", fullmatch=True))
def test_a_name_reads_as_it_is_written(layer, name):
    assert str(TableName.parse(f"{layer}.{name}")) == f"{layer}.{name}"


@pytest.mark.parametrize(
    "text",
    ["silver", "silver.", ".x", "silver.../../etc", "silver.a b", "silver.x;drop table y", "gold.x--", "nowhere.x",
     "silver.x`y", "silver.x/y", "silver." + "a" * 200],
)  # fmt: skip
def test_what_could_leave_the_root_or_carry_sql_is_refused(text):
    with pytest.raises(TableError) as caught:
        TableName.parse(text)
    assert caught.value.code == "LL-TABLE-001"


def test_a_ref_has_a_version_a_time_or_a_tag():
    assert TableRef.parse("silver.x@7").version == 7
    assert TableRef.parse("silver.x@release-7").tag == "release-7"
    assert TableRef.parse("silver.x@2026-01-31T12:00:00Z").time.isoformat() == "2026-01-31T12:00:00+00:00"
    assert TableRef.parse("silver.x@2026-01-31T12:00:00+02:00").time.utcoffset().seconds == 7200
    assert TableRef.parse("silver.x") == TableRef(TableName("silver", "x"))
    with pytest.raises(TableError) as caught:
        TableRef.parse("silver.x@yesterday evening")
    assert caught.value.code == "LL-TABLE-002"
