import pytest

from lakeloom.flow.advice import FILE_BYTES, FILES, SPILLED_BYTES, advice
from lakeloom.session.measure import Resources


@pytest.mark.parametrize(
    ("resources", "files", "size", "starts", "setting"),
    [
        (Resources(median_task_s=1, longest_task_s=30), 1, 1, "skew", "skewedPartitionFactor"),
        (Resources(spilled_bytes=SPILLED_BYTES), 1, 1, "spill", "spark.sql.shuffle.partitions"),
        (None, FILES + 1, FILES + 1, "small files", "lakeloom upkeep"),
    ],
)
def test_what_is_worth_mending_names_the_setting_that_helps(resources, files, size, starts, setting):
    (text,) = advice(resources, files, size)
    assert text.startswith(starts) and setting in text


@pytest.mark.parametrize(
    ("resources", "files", "size"),
    [
        (None, 0, 0),
        (Resources(), FILES, 1),
        (Resources(median_task_s=9, longest_task_s=30), 1, 1),
        (Resources(median_task_s=0.01, longest_task_s=2), 1, 1),
        (Resources(spilled_bytes=SPILLED_BYTES - 1), FILES + 1, (FILES + 1) * FILE_BYTES),
    ],
)
def test_what_is_sound_or_small_is_silent(resources, files, size):
    assert advice(resources, files, size) == ()
