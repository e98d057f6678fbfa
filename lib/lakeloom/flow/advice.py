"""What a step's figures tell about its settings: skew, small files, spilling, each with the setting that helps. Pure.

The limits are chosen so that a laptop's small tables stay silent: a warning says what costs minutes.
"""

from __future__ import annotations

from lakeloom.session.measure import Resources

# A longest task of more than this many medians, and of at least so many seconds, holds its stage up.
SKEW, SKEW_S = 5.0, 10.0
# More files than this of a smaller mean size make every reader list and open instead of read.
FILES, FILE_BYTES = 64, 16 * 2**20
SPILLED_BYTES = 64 * 2**20


def advice(resources: Resources | None, files: int = 0, size_bytes: int = 0) -> tuple[str, ...]:
    """Return a sentence for each thing that is worth mending.

    Parameters
    ----------
    resources : Resources, optional
        What the step took; None where it was not measured.
    files, size_bytes : int
        Of the table at the version that the step wrote.
    """
    found = [_skew(resources), _spill(resources)] if resources else []
    return tuple(text for text in [*found, _small_files(files, size_bytes)] if text)


def _skew(resources: Resources) -> str:
    longest, median = resources.longest_task_s, resources.median_task_s
    if longest < SKEW_S or longest < SKEW * max(median, 0.001):
        return ""
    return (
        f"skew: the longest task took {longest:.1f} s, the median one {median:.1f} s; a few keys hold most rows."
        " Lower spark.sql.adaptive.skewJoin.skewedPartitionFactor and"
        " spark.sql.adaptive.advisoryPartitionSizeInBytes so that such partitions are split, or filter NULL keys"
        " before the join"
    )


def _spill(resources: Resources) -> str:
    if resources.spilled_bytes < SPILLED_BYTES:
        return ""
    return (
        f"spill: {resources.spilled_bytes / 2**20:,.0f} MiB went to local disks since memory did not suffice."
        " Raise spark.sql.shuffle.partitions, or spark.driver.memory (local) or spark.executor.memory (cluster)"
    )


def _small_files(files: int, size_bytes: int) -> str:
    if files <= FILES or size_bytes / files >= FILE_BYTES:
        return ""
    return (
        f"small files: {files:,} files of {size_bytes / files / 2**20:.2f} MiB on average."
        " Give the table 'upkeep: true' or run 'lakeloom upkeep' (files are put together), or set"
        " spark.databricks.delta.optimizeWrite.enabled (fewer, larger files at each write)"
    )
