"""The page of column lineage, in a real browser: what 500 columns look like, and what a choice shows."""

import functools
import html
import http.server
import json
import os
import re
import shutil
import subprocess
import threading

import pytest

from lakeloom.pages.columns import ColumnPage, Link, TableNode, render

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
COLUMNS = [f"measurement_with_a_rather_long_name_{index:03d}" for index in range(500)]
HARNESS = """<!doctype html><iframe id="page" src="columns.html#{hash}" width="1280" height="900"></iframe><pre id="told"></pre>
<script>
document.getElementById("page").addEventListener("load", () => {{
  const page = document.getElementById("page").contentWindow, doc = page.document;
  const shown = (each) => each.getClientRects().length > 0;
  const look = () => {{
    const tables = [...doc.querySelectorAll(".table")].filter(shown);
    const boxes = tables.map((each) => each.getBoundingClientRect());
    const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    return {{
      tables: tables.map((each) => each.dataset.table),
      columns: [...doc.querySelectorAll(".cols li button")].filter(shown).map((each) => each.textContent),
      lines: doc.querySelectorAll("#lines path").length,
      overlapping: boxes.some((a, i) => boxes.some((b, j) => i < j && meet(a, b))),
      cut: [...doc.querySelectorAll(".cols button, h3")].filter(shown).some((each) => each.scrollWidth > each.clientWidth + 1),
      height: doc.documentElement.scrollHeight, wide: doc.documentElement.scrollWidth > page.innerWidth,
      smallest: Math.min(...[...doc.querySelectorAll(".cols button")].filter(shown).map((each) => parseFloat(page.getComputedStyle(each).fontSize))),
      rows: [...doc.querySelectorAll("#rows tr")].map((row) => [...row.cells].map((cell) => cell.textContent)),
      said: doc.getElementById("said").textContent,
      hits: [...doc.querySelectorAll("#hits button")].map((each) => each.textContent), hash: page.location.hash,
    }};
  }};
  const fire = (id, kind) => doc.getElementById(id).dispatchEvent(new page.Event(kind));
  const steps = {steps};
  const told = [look()];
  for (const step of steps) {{ eval(step); told.push(look()); }}
  document.getElementById("told").textContent = JSON.stringify(told);
}});
</script>"""


def wide():
    """Return four tables of 500 columns each way, sums of 25 each, a model; a filter; a name that would be a script."""
    tables = [TableNode(name, "table", tuple(COLUMNS)) for name in ("bronze.wide", "silver.wide")]
    tables += [TableNode("gold.sums", "table", tuple(f"sum_{index}" for index in range(20)), "values only, by its SQL")]
    tables += [
        TableNode("models.late", "model"),
        TableNode("gold.odd", "table", ("</script><script>alert(1)</script>",)),
    ]
    links = [Link("bronze.wide", each, "silver.wide", each, "value", f"cast({each} as double)") for each in COLUMNS]
    links += [Link("silver.wide", "", "silver.wide", each, "rows") for each in COLUMNS]
    links += [Link("bronze.wide", COLUMNS[0], "silver.wide", "", "filter", "x > ?")]
    links += [
        Link("silver.wide", each, "gold.sums", f"sum_{at // 25}", "value", "sum(…)") for at, each in enumerate(COLUMNS)
    ]
    links += [Link("gold.sums", f"sum_{index}", "models.late", "", "value", "train") for index in range(20)]
    return ColumnPage("shop <&>", "2026-01-01 10:00 UTC", tuple(tables), tuple(links))


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        return


@pytest.fixture
def browse(tmp_path):
    """Give a function that opens the page in a browser, does steps, and returns what is seen before and after each."""
    if BROWSER is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("there is no Chromium on this machine")
    (tmp_path / "columns.html").write_text(render(wide()))
    handler = functools.partial(Quiet, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def look(hash_="", *steps):
        (tmp_path / "harness.html").write_text(HARNESS.format(hash=hash_, steps=json.dumps(steps)))
        words = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'browser'}",
                 "--virtual-time-budget=10000", "--dump-dom", f"http://127.0.0.1:{server.server_address[1]}/harness.html"]  # fmt: skip
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
        return json.loads(html.unescape(re.search(r'<pre id="told">(.*?)</pre>', done.stdout, re.DOTALL)[1]))

    yield look
    server.shutdown()
    server.server_close()


def test_five_hundred_columns_are_readable_and_a_choice_shows_its_own(browse):
    plain, chosen, filtered, hundreds, released = browse(
        "",
        "page.location.hash = '#silver.wide."
        + COLUMNS[30]
        + "'; page.dispatchEvent(new page.HashChangeEvent('hashchange'))",
        "doc.getElementById('values').checked = false; fire('values', 'change')",
        "page.location.hash = '#bronze.wide."
        + COLUMNS[0]
        + "'; page.dispatchEvent(new page.HashChangeEvent('hashchange'))",
        "page.dispatchEvent(new page.KeyboardEvent('keydown', {key: 'Escape'}))",
    )
    assert len(plain["tables"]) == 5
    assert len(plain["columns"]) < 60  # a dozen a table, and how many more there are
    assert "… 488 more" in plain["columns"]
    assert chosen["tables"] == ["bronze.wide", "silver.wide", "gold.sums", "models.late"]
    assert chosen["columns"] == [COLUMNS[30], COLUMNS[30], "sum_1", "(the whole)"]
    assert chosen["lines"] == 3
    assert [COLUMNS[30] in row[0] for row in chosen["rows"]] == [True, True, False]
    assert chosen["rows"][0][2:] == ["value", f"cast({COLUMNS[30]} as double)"]
    assert chosen["said"].endswith("1 before it, 2 after it")
    assert ["bronze.wide." + COLUMNS[0], "silver.wide", "filter", "x > ?"] in filtered["rows"]
    assert len(hundreds["columns"]) > 500  # a filter reaches every column of the table …
    assert hundreds["height"] < 20_000  # … whose list scrolls, and is no page of its own length
    assert released["tables"] == plain["tables"]
    assert released["lines"] == 0
    for seen in (plain, chosen, filtered, hundreds):
        assert not seen["overlapping"]
        assert not seen["cut"]
        assert not seen["wide"]
        assert seen["smallest"] >= 13


def test_a_search_finds_names_and_an_address_keeps_the_choice(browse):
    chosen, found, picked = browse(
        "gold.sums.sum_19",
        "doc.getElementById('find').value = 'NAME_499'; fire('find', 'input')",
        "doc.querySelector('#hits button').click()",
    )
    assert len(chosen["columns"]) == 25 + 25 + 2
    assert found["hits"] == [f"{table}.{COLUMNS[499]}" for table in ("bronze.wide", "silver.wide")]
    assert picked["columns"] == [COLUMNS[499], COLUMNS[499], "sum_19", "(the whole)"]
    assert picked["hash"] == f"#bronze.wide.{COLUMNS[499]}"


def test_names_are_data_and_no_markup():
    page = render(wide())
    assert page.count("<script") == 2
    assert "alert(1)</script>" not in page
    assert "shop &lt;&amp;&gt;" in page


def test_tables_stand_behind_what_they_are_made_of_also_in_a_circle():
    links = (Link("silver.a", "x", "silver.b", "x", "value"), Link("silver.b", "x", "silver.a", "y", "value"))
    tables = tuple(TableNode(name, "table", ("x", "y")) for name in ("silver.a", "silver.b"))
    assert "silver.b" in render(ColumnPage("p", "now", tables, links))
