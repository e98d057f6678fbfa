"""Names of exported objects: told apart, read back, safe as keys; manifests are read as they were written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakeloom.core.errors import SinkError
from lakeloom.sinks.base import Shipment
from lakeloom.sinks.objects.layout import NOTHING, Manifest, Part, epoch_of, manifest_of, partition, stem

SHIPMENT = Shipment("daily", 3, "run-1", "gold.daily", 12, "whole", "2026-01-01T00:00:00+00:00")


@given(st.lists(st.none() | st.text(max_size=20), min_size=1, max_size=3))
def test_a_partition_of_any_values_is_one_folder_a_column_and_is_told_from_every_other(values):
    columns = tuple(f"c{at}" for at in range(len(values)))
    folder = partition(columns, values)
    assert folder.count("/") == len(values) and "//" not in folder and "\\" not in folder
    for name, value, part in zip(columns, values, folder.split("/"), strict=False):
        from urllib.parse import unquote

        told = part.removeprefix(f"{name}=")
        assert (told == NOTHING) if value in (None, "") else (unquote(told) == value)


@given(st.integers(1, 10**9), st.integers(0, 10**6), st.sampled_from([".parquet", ".csv.gz", ".json.zst"]))
def test_the_execution_is_read_from_the_name(epoch, version, ending):
    name = stem(Shipment("daily", epoch, "r", "gold.daily", version, "new", "")) + f"-00000-000-0a1b2c3d{ending}"
    assert epoch_of(f"day=1/{name}", "daily") == epoch == epoch_of(manifest_of(epoch), "daily")
    assert epoch_of(name, "dail") is None and epoch_of(name, "daily2") is None


@pytest.mark.parametrize("name", ["notes.csv", "_manifest.json", "daily.parquet", "daily-x-v1-00000-000-0a1b2c3d.csv"])
def test_what_is_not_the_exports_own_is_let_alone(name):
    assert epoch_of(name, "daily") is None


def test_a_manifest_is_read_as_it_was_written():
    part = Part("day=1/x.csv", 2, 10, "abc")
    manifest = Manifest(
        "daily", 3, "run-1", "gold.daily", 12, "new", "csv", "2026-01-01T00:00:00+00:00", {"a": "int"}, 2, 10, (part,),
        (manifest_of(1), manifest_of(3)), 5, 20,
    )  # fmt: skip
    assert Manifest.of(manifest.text(), "s3://b/_manifest.json") == manifest
    assert manifest.epochs == {1, 3} and manifest.serves(SHIPMENT)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"version": 2}', b"\xff", b'{"version": 1, "objects": [{}]}'])
def test_another_file_of_that_name_is_refused(content):
    with pytest.raises(SinkError) as caught:
        Manifest.of(content, "s3://b/daily/_manifest.json")
    assert caught.value.code == "LL-SINK-003"
