"""By which column a table is read: what is sure to move when a row changes, or nothing."""

import pytest

from lakeloom.sources.looking.watermark import Fact, watermark


@pytest.mark.parametrize(
    ("columns", "keyed", "by", "overlap"),
    [
        ([Fact("id", "number", True, grows=1.0), Fact("updated_at", "zoned")], True, "updated_at", "1 hour"),
        ([Fact("lastModified", "date"), Fact("created", "date", True)], True, "lastModified", "1 day"),
        ([Fact("updated_at", "time"), Fact("modified_at", "time", True)], True, "modified_at", "1 hour"),
        ([Fact("rowversion", "number", True)], True, "rowversion", 0),
        # It would see new rows and no changed one.
        ([Fact("id", "number", True, grows=1.0), Fact("created_at", "zoned", True)], True, None, 0),
        # A log has no key.
        ([Fact("logged_at", "zoned", True, grows=1.0), Fact("level", "text")], False, "logged_at", "1 hour"),
        ([Fact("name", "text"), Fact("price", "number")], True, None, 0),
        ([Fact("updated_at", None)], True, None, 0),
        ([Fact("up dated", "zoned", True)], False, None, 0),
    ],
)
def test_the_column_that_moves_is_taken(columns, keyed, by, overlap):
    found = watermark(columns, keyed=keyed)
    assert (found.by, found.overlap) == (by, overlap)
    assert found.as_entry() == ({"incremental": {"by": by, "overlap": overlap}} if by else {})


def test_the_evidence_says_why_and_what_else_there_was():
    found = watermark([Fact("updated_at", "zoned", True, nulls=3), Fact("created_at", "zoned")], keyed=True)
    assert (
        found.evidence
        == "its name says that a row was changed, an index begins with it, 3 of the rows looked at have none"
    )
    assert found.others == ("created_at (its name speaks of time)",)
    found = watermark([Fact("created_at", "zoned", True)], keyed=True)
    assert "created_at" in found.evidence and "no changed one" in found.evidence
