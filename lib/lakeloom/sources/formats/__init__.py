"""Formats of files: one file a format, which says what its options are, how it is inspected and how it is read.

A new one is a file with a `lakeloom.sources.formats.base.Format`, a line here and a test.
"""

FORMATS = {
    "csv": "lakeloom.sources.formats.csv:Csv",
    "json": "lakeloom.sources.formats.json:Json",
    "xml": "lakeloom.sources.formats.xml:Xml",
    "parquet": "lakeloom.sources.formats.parquet:Parquet",
    "avro": "lakeloom.sources.formats.avro:Avro",
    "protobuf": "lakeloom.sources.formats.protobuf:Protobuf",
    "xlsx": "lakeloom.sources.formats.xlsx:Xlsx",
    "orc": "lakeloom.sources.formats.orc:Orc",
    "text": "lakeloom.sources.formats.text:Lines",
    "fixed": "lakeloom.sources.formats.fixed:Fixed",
    "binary": "lakeloom.sources.formats.binary:Binary",
}
