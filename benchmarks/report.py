"""What benches found, as tables for the terminal and as the page ``docs/results.md``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

HEAD = """# Results

What lakeloom does, in figures. Each block names the command that measures it again, the machine and the
day. The page is made by `make bench` from `benchmarks/results/`; no figure in it is typed by hand.
"""


def page(results: Sequence[dict[str, Any]]) -> str:
    """Return ``docs/results.md`` from what `benchmarks.result.store` wrote."""
    blocks = [HEAD, _summary(results), *(_block(result) for result in results)]
    return "\n".join(blocks).rstrip() + "\n"


def terminal(result: dict[str, Any]) -> str:
    """Return a bench's targets and tables for the terminal."""
    parts = [result["title"]]
    if result["targets"]:
        parts.append(_aligned(("figure", "measured", "target", ""), _targets(result)))
    parts += [table["title"] + "\n" + _aligned(table["columns"], table["rows"]) for table in result["tables"]]
    return "\n\n".join(parts)


def _summary(results: Sequence[dict[str, Any]]) -> str:
    rows = [
        (f"[{result['title']}](#{_anchor(result['title'])})", *line) for result in results for line in _targets(result)
    ]
    return "## In short\n\n" + _markdown(("measured by", "figure", "measured", "target", "reached"), rows) + "\n"


def _block(result: dict[str, Any]) -> str:
    about = result["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in about["packages"].items())
    lines = [
        f"## {result['title']}",
        "",
        f"`make bench NAME={result['name']}` · {result['day']} · {about['cores']} cores of {about['processor']}, "
        f"{about['memory_gib']} GiB, {about['system']}, Python {about['python']}, {packages}"
        + (f"; load when it ended {about['load']}" if "load" in about else ""),
        "",
    ]
    for table in result["tables"]:
        lines += [f"**{table['title']}**", "", _markdown(table["columns"], table["rows"]), ""]
    lines += [text for note in result["notes"] for text in (note, "")]
    return "\n".join(lines)


def _targets(result: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    rows = []
    for each in result["targets"]:
        found, wanted, least = result["figures"][each["figure"]], each["value"], each["sense"] == "least"
        met = found >= wanted if least else found < wanted
        unit = " s" if each["figure"].endswith("_s") else ""
        name = each["label"] or each["figure"].replace("_", " ")
        wanted_text = f"{'≥' if least else '<'} {wanted:g}{unit}"
        measured = f"{found:.2f}" if unit and found < 1 else number(found)
        rows.append((name, measured + unit, wanted_text, "yes" if met else "**no**"))
    return rows


def number(value: Any) -> str:
    """Return a number with the digits that matter: four below 1, two below 10, one below 100."""
    if not isinstance(value, float):
        return str(value)
    size = abs(value)
    digits = 4 if size < 1 else 2 if size < 10 else 1 if size < 100 else 0
    return f"{value:.{digits}f}"


def _markdown(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    body = [[number(cell) for cell in row] for row in rows]
    heads = list(columns)
    right = [bool(body) and all(_numeric(row[place]) for row in body) for place in range(len(heads))]
    lines = [heads, ["---:" if is_right else "---" for is_right in right], *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _aligned(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    lines = [list(columns), *([number(cell).replace("**", "") for cell in row] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _numeric(text: str) -> bool:
    return text.lstrip("+-−").replace(".", "", 1).replace(",", "").isdigit() or text in ("", "–")


def _anchor(title: str) -> str:
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")
