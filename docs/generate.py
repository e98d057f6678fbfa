"""Write the pages that are made from the code: ``make docs``."""

from __future__ import annotations

from pathlib import Path

from lakeloom.api.schema import errors_text, schema_text, with_expectations

HERE = Path(__file__).parent
PAGES = {"errors.md": errors_text, "config.schema.json": schema_text}

if __name__ == "__main__":
    for name, text in PAGES.items():
        (HERE / name).write_text(text(), encoding="utf-8")
    rules = HERE / "guide" / "rules.md"
    rules.write_text(with_expectations(rules.read_text(encoding="utf-8")), encoding="utf-8")
