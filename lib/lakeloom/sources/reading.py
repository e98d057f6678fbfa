"""What inspection and readers need to know of a source's config; it travels to executors."""

from __future__ import annotations

from dataclasses import dataclass, field

UTF8 = "utf-8"


@dataclass(frozen=True)
class Reading:
    """How the files of a source are read.

    Attributes
    ----------
    format : str
        A name of `lakeloom.sources.formats.FORMATS`, or a dotted name.
    options : dict
        The reader's options as text.
    row_tag : str or None
        The element of a row; of XML.
    required : tuple of str
        Columns without which a file is not loaded.
    names : tuple of str
        The columns' names where the files don't tell them.
    encoding : str
        In which texts are written.
    fields : tuple
        Name, first and last place of each field; of fixed width.
    message : str
        The full name of the message that records are; of Protobuf.
    unknown : {'quarantine', 'ignore', 'fail'}
        What becomes of a record with fields that its descriptor does not know; of Protobuf.
    sheet : str
        The name of the sheet, empty for the first one; of Excel.
    schema : bytes
        What stands in the file that says what records hold; empty where the config names none.
    schema_path : str
        Where that file lies.
    """

    format: str
    options: dict[str, str] = field(default_factory=dict)
    row_tag: str | None = None
    required: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    encoding: str = UTF8
    fields: tuple[tuple[str, int, int], ...] = ()
    schema: bytes = b""
    schema_path: str = ""
    message: str = ""
    unknown: str = "quarantine"
    sheet: str = ""
