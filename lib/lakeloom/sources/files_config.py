"""What ``sources.yml`` says of a source of kind ``files``: where they are, how they are written, what they hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from lakeloom.core.errors import ConfigError
from lakeloom.objects.address import Address, is_address
from lakeloom.sources import objects
from lakeloom.sources.formats import FORMATS
from lakeloom.sources.formats.base import format_of, takers
from lakeloom.sources.packed import is_utf8
from lakeloom.sources.reading import UTF8, Reading

# What Hadoop's connectors reach.
_DIRECT = ("s3", "s3a", "gs", "abfs", "abfss")
# What only some formats know; which, they say themselves.
_WORDS = ("row_tag", "fields", "schema", "descriptor", "message", "unknown", "sheet")


class FilesConfig(BaseModel):
    """What ``sources.yml`` says of a source of kind ``files``.

    Attributes
    ----------
    path : str
        A path or glob, relative to the project's home or absolute, or the address of objects in a store
        (``s3://bucket/folder/*.csv``, gs, abfss, sftp, http(s), file), whose settings stand in ``stores:``; it is only
        read.
    format : str
        One of `lakeloom.sources.formats.FORMATS`, or a dotted name ``package.module:Format``. ``json`` means JSON
        lines; ``text`` gives each line as ``value``, ``binary`` each file as ``content`` and ``size``.
    options : dict
        Reader options: for csv sep, quote, escape, header, multiLine, comment and the white space ones;
        for xml attributePrefix.
    columns : dict
        Spark types by column; the others land as text, those of Parquet as they are. Values that do not
        fit go to quarantine. Without a csv header, the columns in order.
    required : tuple of str
        Columns without which a file is not loaded; others that a file lacks are NULL.
    row_tag : str, optional
        The element of a row; for xml.
    fields : dict
        Column → first and last place in the line, from 1 on; for fixed.
    schema : str, optional
        A file that says what records hold, relative to the project's home; for avro the reader's schema, for xml an XSD
        that declares the element of a row.
    descriptor, message : str, optional
        Of protobuf: a descriptor set (``protoc --include_imports --descriptor_set_out``), and the message's full name.
    unknown : {'quarantine', 'ignore', 'fail'}
        Of protobuf: what becomes of a message with fields that the descriptor does not know. ``ignore`` lands the
        others, ``fail`` lets nothing land.
    sheet : str, optional
        Of xlsx: the sheet's name; the first one without it.
    encoding : str
        In which texts are written; a file that is not goes to quarantine whole.
    access : {'landed', 'direct'}
        Of an address: fetched into the landing zone, which keeps the bytes, or read by Spark where it lies.
    changed : {'add', 'ignore', 'fail'}
        Of an address: what becomes of an object that arrived before and is another one now. ``add`` lands it too.
    vanished : {'ignore', 'fail'}
        The same of one that is not there any more.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["files"]
    path: str
    format: str = Field(json_schema_extra={"anyOf": [{"enum": list(FORMATS)}, {"pattern": ":"}]})
    options: dict[str, str | bool | int] = {}
    columns: dict[str, str] = {}
    required: tuple[str, ...] = ()
    row_tag: str | None = None
    fields: dict[str, tuple[int, int]] = {}
    schema_: str | None = Field(None, alias="schema")
    descriptor: str | None = None
    message: str | None = None
    unknown: Literal["quarantine", "ignore", "fail"] | None = None
    sheet: str | None = None
    encoding: str = UTF8
    access: Literal["landed", "direct"] = "landed"
    changed: objects.Policy = "add"
    vanished: Literal["ignore", "fail"] = "ignore"
    _place: objects.Place | None = PrivateAttr(None)
    _zone: Path | None = PrivateAttr(None)

    @field_validator("format")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in FORMATS and ":" not in name:
            expected = ", ".join(f"'{each}'" for each in FORMATS)
            raise PydanticCustomError("literal_error", "Input should be one of {expected}", {"expected": expected})
        try:
            format_of(name)
        except ConfigError as cause:
            raise ValueError(f"{cause.message}; {cause.fix}") from None
        return name

    @model_validator(mode="after")
    def _is_found(self) -> FilesConfig:
        if is_address(self.path):
            try:
                address = Address.parse(self.path)
            except ConfigError as cause:
                raise ValueError(f"{cause.message}; {cause.fix}") from None
            if address.scheme.startswith("http") and not address.plain:
                raise ValueError("a web server has no listing; name one file, or fetch by other means into a folder")
        elif not self.path.startswith("${") and (self.changed, self.vanished) != ("add", "ignore"):
            raise ValueError("changed and vanished are for objects of a store; a folder's files are added")
        return self

    @model_validator(mode="after")
    def _is_reached(self) -> FilesConfig:
        if self.access == "direct":
            scheme = self.path.partition("://")[0].lower() if is_address(self.path) else ""
            if scheme not in _DIRECT:
                raise ValueError("direct is for addresses of S3, Google and Azure; others are fetched or lie there")
            if not format_of(self.format).in_place:
                *able, last = [name for name in FORMATS if format_of(name).in_place]
                raise ValueError(f"direct is for {', '.join(able)} and {last}, which Spark reads; others are fetched")
        return self

    @model_validator(mode="after")
    def _is_written(self) -> FilesConfig:
        try:
            plain = is_utf8(self.encoding)
        except LookupError:
            raise ValueError(f"encoding '{self.encoding}' is unknown") from None
        if not plain and self.access == "direct":
            raise ValueError("direct is for UTF-8; what is written otherwise is fetched")
        if not plain and not format_of(self.format).encoded:
            *most, last = [name for name in FORMATS if format_of(name).encoded]
            raise ValueError(f"{self.format} has an encoding of its own; encoding is for {', '.join(most)} and {last}")
        return self

    @model_validator(mode="after")
    def _fits(self) -> FilesConfig:
        format_ = format_of(self.format)
        unknown = sorted(set(self.options) - format_.options)
        if unknown:
            valid = ", ".join(sorted(format_.options)) or "none"
            raise ValueError(f"{self.format} has no option {', '.join(unknown)}; the options are {valid}")
        for name in format_.one_character:
            if name in self.options and len(str(self.options[name])) != 1:
                raise ValueError(f"option {name} is one character")
        for word in _WORDS:
            said = getattr(self, "schema_" if word == "schema" else word)
            if word in format_.needs and not said:
                raise ValueError(f"{word} is what {self.format} needs")
            if said and word not in (*format_.needs, *format_.takes):
                raise ValueError(f"{word} is for {' and '.join(takers(word))} only")
        format_.check(self)
        return self

    def located(self, zone: Path, place: objects.Place | None) -> FilesConfig:
        """Return the config with its landing zone, and with where its objects are."""
        self._zone, self._place = zone, place
        return self

    @property
    def zone(self) -> Path:
        """The source's landing zone: what was fetched and unpacked."""
        assert self._zone is not None  # the runner gives it before anything is landed
        return self._zone

    @property
    def place(self) -> objects.Place | None:
        """Where its objects are; None for files of a folder."""
        return self._place

    @property
    def named(self) -> dict[str, str]:
        """The files that the config names, by the word that names them: at most one."""
        said = {"schema": self.schema_, "descriptor": self.descriptor}
        return {word: file for word, file in said.items() if file is not None}

    def reading_at(self, base: Path) -> Reading:
        """Return the part of the config that inspection and readers need, with what the files hold that it names.

        Parameters
        ----------
        base : Path
            The project's home, which paths start at.

        Raises
        ------
        ConfigError
            LL-CONF-009 where such a file is not there; LL-CONF-004 where it is not what the format takes.
        """
        if not self.named:
            return self.reading
        ((word, file),) = self.named.items()
        try:
            said = (base / file).read_bytes()
        except OSError:
            raise ConfigError(
                "LL-CONF-009", f"{file} does not exist", where=word,
                fix="name a file; relative paths start at the project's home",
            ) from None  # fmt: skip
        reading = replace(self.reading, schema=said, schema_path=str(base.absolute() / file))
        try:
            format_of(self.format).check_schema(reading)
        except ValueError as cause:
            raise ConfigError("LL-CONF-004", f"{file}: {cause}", where=word, fix="mend the file") from None
        return reading

    @property
    def reading(self) -> Reading:
        """The part of the config that stands in it, without the files that it names."""
        options = {
            key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in self.options.items()
        }
        for name in ("header", "multiLine", "merged", "framing"):
            if name in options:
                options[name] = options[name].lower()
        names = format_of(self.format).names(self)
        fields = tuple((name, start, end) for name, (start, end) in self.fields.items())
        return Reading(
            self.format, options, self.row_tag, self.required, names, self.encoding, fields,
            message=self.message or "", unknown=self.unknown or "quarantine", sheet=self.sheet or "",
        )  # fmt: skip
