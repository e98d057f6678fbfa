"""Globs mean what Python's own mean: the same files of a tree with hidden, linked and odd names."""

import glob
from pathlib import Path

import pytest

from lakeloom.sources.globbing import matches

FILES = (
    "a.csv", "b.txt", ".hidden.csv", "_draft.csv", "in/a.csv", "in/b.csv.gz", "in/deep/c.csv", "in/.git/d.csv", "out/a.csv",
    "2026/01/a.csv", "2026/02/b.csv", "day=1/x.parquet", "odd [1].csv", "in/deep/er/e.csv", "ü/ü.csv", "in/{x}.csv",
)  # fmt: skip
PATTERNS = (
    "*.csv", "*", "**", "**/*.csv", "*/*.csv", "in/*", "in/**", "in/**/*.csv", "**/deep/*.csv", "**/deep/**", "2026/*/?.csv", "day=*/*.parquet",
    "odd [[]1].csv", "[ab].csv", "[!a].txt", ".*.csv", "in/.*/*.csv", "nowhere/*.csv", "a.csv", "in/a.csv", "*/a.csv", "in/../out/*.csv",
    "**/**/*.csv", "a*/**", "ü/*", "in/{x}.csv", "link/*.csv", "**/[bc].csv", "a.csv/*",
)  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    home = tmp_path_factory.mktemp("tree")
    for name in FILES:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("x")
    (home / "link").symlink_to(home / "out")
    (home / "gone.csv").symlink_to(home / "nothing")
    return home


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_same_files_match(tree, pattern):
    found = {Path(folder) / entry.name for folder, entries in matches(f"{tree}/{pattern}") for entry in entries}
    wanted = {Path(text) for text in glob.glob(f"{tree}/{pattern}", recursive=True)}  # noqa: PTH207  what it is held against
    assert {path for path in found if path.is_file()} == {path for path in wanted if path.is_file()}


def test_a_folder_that_may_not_be_read_holds_nothing(tree):
    assert [entries for _, entries in matches(f"{tree}/a.csv/x/*")] == [[]]
