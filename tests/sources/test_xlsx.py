"""Excel: values as exact as a sheet holds them, headers, merged cells, sheets, and workbooks that are none."""

import io
import re
import zipfile
from datetime import date, datetime, time, timedelta

import openpyxl
import pytest

from lakeloom.sources.inspection import Reading, inspect
from tests.sources.test_formats import landed, put


def workbook(rows, title="Sheet", more=None, **changes):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    if more:
        more(book)
    sink = io.BytesIO()
    book.save(sink)
    return changed(sink.getvalue(), **changes) if changes else sink.getvalue()


def changed(content, part="xl/worksheets/sheet1.xml", find="", put=""):
    """Return a workbook with text of one of its parts replaced: what openpyxl would not write."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename == part:
                assert re.search(find.encode(), data), data
                data = re.sub(find.encode(), put.encode(), data, count=1)
            new.writestr(info.filename, data)
    return sink.getvalue()


def look(folder, content, **options):
    (folder / "a.xlsx").write_bytes(content)
    sheet = options.pop("sheet", "")
    return inspect("a.xlsx", str(folder / "a.xlsx"), Reading("xlsx", options, sheet=sheet))


def test_values_are_text_as_exact_as_the_sheet_holds_them_and_cast_as_declared(spark, tmp_path):
    rows = [
        ["id", "price", "day", "at", "clock", "span", "ok", "name", None],
        [1, 0.1, date(2024, 2, 29), datetime(2024, 5, 1, 12, 30, 15), time(8, 5), timedelta(hours=26, minutes=3), True, "ü 漢", None],
        [2**53, 12345678.9, None, None, None, None, False, "", None],
        [None] * 9,
        [3, 1e300, datetime(1900, 1, 2), None, None, None, None, " blank ", "beyond"],
        ["x", 1, None, None, None, None, None, None, None],
    ]  # fmt: skip
    put(tmp_path, "a.xlsx", workbook(rows))
    kinds = {"id": "bigint", "price": "double", "day": "date", "at": "timestamp", "ok": "boolean"}
    good, broken = landed(spark, tmp_path, format="xlsx", columns=kinds)
    assert [tuple(value for key, value in row.items() if not key.startswith("_")) for row in good] == [
        (1, 0.1, date(2024, 2, 29), datetime(2024, 5, 1, 12, 30, 15), "08:05:00", "26:03:00", True, "ü 漢"),
        (2**53, 12345678.9, None, None, None, None, False, None),
    ]
    assert [row["_record"] for row in good] == [2, 3]
    assert [(row["_record"], row["reasons"]) for row in broken] == [
        (5, ["cells beyond the header"]),
        (6, ["id: not bigint"]),
    ]
    assert '"beyond"' in broken[0]["raw"] and '"x"' in broken[1]["raw"]


def test_formulas_give_what_they_gave_when_the_book_was_saved(spark, tmp_path):
    made = workbook([["a", "b"], [1, "=A2+1"], [2, "=1/0"]], find="<c r=\"B2\"><f>A2\\+1</f><v ?/?>(</v>)?</c>", put='<c r="B2"><f>A2+1</f><v>2</v></c>')  # fmt: skip
    assert look(tmp_path, made).problem == "a formula of it was never calculated; open it in Excel and save it"
    made = changed(
        made, find='<c r="B3"><f>1/0</f><v ?/?>(</v>)?</c>', put='<c r="B3" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
    )
    put(tmp_path, "a.xlsx", made)
    good, broken = landed(spark, tmp_path, format="xlsx", columns={"b": "int"})
    assert [(row["a"], row["b"]) for row in good] == [("1", 2)]
    assert [(row["raw"], row["reasons"]) for row in broken] == [('{"a":"2","b":"#DIV/0!"}', ["b: not int"])]


def test_sheets_header_rows_and_merged_cells(spark, tmp_path):
    def more(book):
        sheet = book.create_sheet("Data")
        for row in (
            ["Report of May"],
            [],
            ["region", "city", "n"],
            ["north", "Oslo", 1],
            [None, "Bergen", 2],
            ["south", "Rome", 3],
        ):
            sheet.append(row)
        sheet.merge_cells("A4:A5")
        sheet.merge_cells("A1:C1")

    put(tmp_path, "a.xlsx", workbook([["other"]], more=more))
    words = {"format": "xlsx", "sheet": "Data"}
    good, _ = landed(spark, tmp_path, **words, options={"header_row": 3})
    assert [(row["region"], row["city"], row["n"]) for row in good] == [
        ("north", "Oslo", "1"),
        (None, "Bergen", "2"),
        ("south", "Rome", "3"),
    ]
    good, _ = landed(spark, tmp_path, **words, options={"header_row": 3, "merged": "fill"})
    assert [(row["region"], row["_record"]) for row in good] == [("north", 4), ("north", 5), ("south", 6)]
    good, _ = landed(spark, tmp_path, format="xlsx", options={"header_row": 0}, columns={"word": "string"})
    assert [row["word"] for row in good] == ["other"]
    (tmp_path / "b").mkdir()
    found = look(tmp_path / "b", (tmp_path / "in" / "a.xlsx").read_bytes(), sheet="None")
    assert found.problem == "it has no sheet 'None'; it has 2"


def test_what_a_file_says_of_its_size_is_not_believed_and_far_corners_take_no_memory(spark, tmp_path):
    made = workbook([["a"], [1], [2]], find='<dimension ref="[^"]*" ?/>', put='<dimension ref="A1:A2"/>')
    made = changed(made, find="</sheetData>", put='<row r="1048576"><c r="A1048576"><v>3</v></c><c r="XFD1048576"><v>4</v></c></row></sheetData>')  # fmt: skip
    put(tmp_path, "a.xlsx", made)
    good, broken = landed(spark, tmp_path, format="xlsx")
    assert [row["a"] for row in good] == ["1", "2"]
    assert [(row["_record"], row["reasons"]) for row in broken] == [(1048576, ["cells beyond the header"])]


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><worksheet'


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"PK", "it is not Excel, or is damaged"), (workbook([["a"], [1]])[:-30], "it is not Excel, or is damaged"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 99 + "EncryptedPackage".encode("utf-16-le"), "it is encrypted"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 99, "it is a workbook of before 2007; save it as xlsx"),
        (workbook([["a"]], find="<worksheet", put=BOMB), "it declares entities, which are refused"),
        (workbook([["a", "A"]]), "two columns are called 'a' and 'A'"), (workbook([["a", None, "b"]]), "a column of the header has no name"),
        (workbook([]), "row 1 holds no header"), (workbook([["a"]], find="<sheetData>", put="<sheet<"), "it is not Excel, or is damaged"),
    ],
)  # fmt: skip
def test_what_is_no_workbook_is_told(tmp_path, content, problem):
    assert look(tmp_path, content).problem == problem


def test_a_sheet_that_breaks_off_in_its_midst_is_kept_whole(spark, tmp_path):
    from lakeloom.sources.files import Files
    from lakeloom.sources.files_config import FilesConfig

    put(tmp_path, "a.xlsx", workbook([["a"], [1]]))
    rows = [["a"], *([number] for number in range(3000))]
    put(tmp_path, "b.xlsx", workbook(rows, find='<row r="2500">', put='<row r="2500"><<'))
    made = FilesConfig(kind="files", path="in/*", format="xlsx")
    batch = Files.poll(made, [], None, lambda: spark, tmp_path)
    assert [each["problem"] for each in batch["files"]] == [None, None]
    probed = Files.probe(spark.newSession(), made, batch, tmp_path)
    assert probed["files"][1]["problem"].startswith("its sheet is damaged behind row")
    found = Files.read(spark.newSession(), made, probed, None, tmp_path)
    assert found.good.count() == 1 and len(found.broken.collect()[0].bytes) > 1000
