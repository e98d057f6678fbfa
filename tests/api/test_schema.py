"""The generated pages are what the code says; ``make docs`` writes them anew."""

import json
from pathlib import Path

from lakeloom.api.schema import config_schema, errors_text, expectations_text, schema_text, with_expectations
from lakeloom.core.codes import CODES
from lakeloom.quality.expectations import EXPECTATIONS

DOCS = Path(__file__).parents[2] / "docs"


def test_the_committed_pages_are_up_to_date():
    assert (DOCS / "errors.md").read_text() == errors_text(), "run 'make docs'"
    assert (DOCS / "config.schema.json").read_text() == schema_text(), "run 'make docs'"


def test_the_guides_table_of_expectations_is_what_the_code_takes():
    page = (DOCS / "guide" / "rules.md").read_text()
    assert page == with_expectations(page), "run 'make docs'"
    for each in EXPECTATIONS:
        assert f"`{each.name}`" in expectations_text() and each.official in expectations_text()


def test_every_code_is_on_the_page():
    assert all(f"`{code}`" in errors_text() for code in CODES)


def test_the_schema_covers_every_section_and_refers_to_what_it_holds():
    schema = config_schema()
    assert {"sources", "tables", "features", "datasets", "models", "version"} <= set(schema["properties"])
    text = json.dumps(schema)
    for part in text.split('"#/$defs/')[1:]:
        assert part.partition('"')[0] in schema["$defs"]
