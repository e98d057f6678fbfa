"""Every page of the guide runs as it stands, and the guide's index lists every page."""

import re
import shutil
import time
from contextlib import suppress

import psutil
import pytest

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.api.scaffold import scaffold
from lakeloom.core.codes import CODES
from tests.docs.guide import GUIDE, HOME, LONG, Block, blocks, follow

INDEX = GUIDE / "README.md"
PAGES = sorted(page for page in GUIDE.glob("*.md") if page != INDEX)
FIRST = ("first-steps", "install")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")


def parameter(page):
    marks = [pytest.mark.long] if page.read_text(encoding="utf-8").startswith(LONG) else []
    return pytest.param(page, id=page.stem, marks=marks)


@pytest.fixture(scope="module")
def ran(tmp_path_factory, spark):
    """Give a project that `lakeloom init shop` wrote and that ran once, and a copy of its folder."""
    folder = tmp_path_factory.mktemp("guide") / "shop"
    scaffold("shop", folder)
    assert open_lakehouse(folder / "conf").run().status == "done"
    return folder, shutil.copytree(folder, folder.with_name("copy"))


@pytest.fixture
def project(request, tmp_path, page):
    """Give the folder of a project: as new where the page is a user's first, else as after the first run.

    Where nothing changed since, a page's `lakeloom run` needs no JVM. A storage root holds on to the place
    of its files, so that every page has the same folder, laid anew.
    """
    if page.stem in FIRST:
        folder = tmp_path / "shop"
        scaffold("shop", folder)
        return folder
    folder, copy = request.getfixturevalue("ran")
    shutil.rmtree(folder)
    return shutil.copytree(copy, folder)


@pytest.mark.parametrize("page", [parameter(page) for page in PAGES])
def test_the_page_runs(page, project):
    assert follow(page, project) > 0, f"{page.name} has no block that runs"


def test_the_index_lists_every_page():
    listed = LINK.findall(INDEX.read_text(encoding="utf-8"))
    missing = [page.name for page in PAGES if page.name not in listed]
    assert not missing, f"docs/guide/README.md does not list {', '.join(missing)}"


@pytest.mark.parametrize("page", [*PAGES, INDEX], ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_cell_of_the_support_matrix_is_a_test_that_exists_or_says_what_it_is():
    page = (GUIDE / "support.md").read_text(encoding="utf-8")
    proofs = dict(re.findall(r"^(\d+)\. `([^`]+)`$", page, re.MULTILINE))
    rows = [line.strip("|").split("|")[1:] for line in page.splitlines() if line.startswith("| ")][1:]
    cells = {cell.strip() for row in rows for cell in row}
    wrong = {cell for cell in cells if not re.fullmatch(r"unverified|null|—|\[\d+\]|LL-[A-Z]+-\d{3}", cell)}
    assert len(rows) > 10 and not wrong
    assert {cell.strip("[]") for cell in cells if cell.startswith("[")} == set(proofs)
    for number, proof in proofs.items():
        file, name = proof.split("::")
        assert f"def {name}(" in (HOME / file).read_text(encoding="utf-8"), f"{number}: {proof} does not exist"
    assert {cell for cell in cells if cell.startswith("LL-")} <= set(CODES)


def test_blocks_are_found_with_their_lines():
    page = (
        "# A\n```sh\ntrue\n```\ntext\n```text\nno\n```\n```sh norun\nfalse\n```\n  ```python\n  if 1:\n    2\n  ```\n"
    )
    assert blocks(page) == [
        Block(2, "sh", True, "true\n"),
        Block(6, "text", False, "no\n"),
        Block(9, "sh", False, "false\n"),
        Block(12, "python", True, "if 1:\n  2\n"),
    ]


def test_a_failing_block_is_told_with_page_block_and_output(tmp_path):
    page, project = tmp_path / "page.md", tmp_path / "shop"
    project.mkdir()
    page.write_text("```sh\necho before > here\n```\n\n```sh\ncat here\nfalse\necho after\n```\n")
    with pytest.raises(AssertionError) as caught:
        follow(page, project)
    assert str(caught.value) == ("page.md:5: exit code 1\n--- block\ncat here\nfalse\necho after\n--- output\nbefore\n")
    page.write_text("```python\nraise SystemExit('gone wrong')\n```\n")
    with pytest.raises(AssertionError, match=r"page\.md:1: exit code 1(?s:.*)gone wrong"):
        follow(page, project)
    page.write_text("```sh\nsleep 60\n```\n")
    with pytest.raises(AssertionError, match="not done after 1 s"):
        follow(page, project, timeout_s=1)


def test_what_a_block_leaves_running_ends_with_the_page(tmp_path):
    page, project = tmp_path / "page.md", tmp_path / "shop"
    project.mkdir()
    page.write_text("```sh\nsleep 600 &\necho $! > pid\n```\n```sh\nkill -0 $(cat pid)\n```\n```text\nno\n```\n")
    assert follow(page, project) == 2
    pid, deadline = int((project / "pid").read_text()), time.monotonic() + 20
    with suppress(psutil.NoSuchProcess):
        while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_every_fault_names_tests_that_exist():
    page = (GUIDE / "faults.md").read_text(encoding="utf-8")
    proofs = dict(re.findall(r"^(\d+)\. `([^`]+)`$", page, re.MULTILINE))
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 12 and {number for row in rows for number in re.findall(r"\[(\d+)\](?!\()", row[-1])} == set(
        proofs
    )
    for number, proof in proofs.items():
        file, name = proof.split("::")
        assert f"def {name}(" in (HOME / file).read_text(encoding="utf-8"), f"{number}: {proof} does not exist"
    assert set(re.findall(r"LL-[A-Z]+-\d{3}", page)) <= set(CODES)
