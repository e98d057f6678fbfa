"""What a format of files offers: its options, the scanner that inspects a file, the reader of a group of files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from lakeloom.core.kinds import pick
from lakeloom.sources.formats import FORMATS
from lakeloom.sources.reading import Reading
from lakeloom.sources.scanners import Scanner

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from lakeloom.sources.records import Group


class Format:
    """A format; those of the house override what differs.

    Attributes
    ----------
    options : frozenset of str
        What ``options:`` may name.
    one_character : tuple of str
        Those of them that are a single character.
    needs, takes : tuple of str
        Words of the source's config that are for this format: what it can't be without, and what it may have.
    extra : str
        The extra of lakeloom's packages that it needs; none where it is empty.
    encoded : bool
        Whether it is text of which ``encoding:`` can speak.
    as_it_is : bool
        Whether it has a compression of its own or is taken byte for byte: only archives are unpacked.
    breaks : bool
        Whether a single record can be broken; else only a value that does not fit its declared type.
    in_place : bool
        Whether Spark itself reads it, wherever it lies.
    header_line : bool
        Whether a file names its columns once, above its records: one that shares none with what landed before has
        lost that line.
    names_in_records : bool
        Whether each record names its fields: files are then read together under the union of their fields.
    scanner : type
        Made with a `Reading`, takes a file's bytes and tells its columns and what is wrong with it.
    """

    options: ClassVar[frozenset[str]] = frozenset()
    one_character: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[tuple[str, ...]] = ()
    takes: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str] = ""
    encoded: ClassVar[bool] = False
    as_it_is: ClassVar[bool] = False
    breaks: ClassVar[bool] = True
    in_place: ClassVar[bool] = False
    header_line: ClassVar[bool] = False
    names_in_records: ClassVar[bool] = False
    scanner: ClassVar[type[Scanner]]

    @classmethod
    def extra_of(cls, options: Mapping[str, Any]) -> dict[str, str]:
        """Return the extra that brings what this format needs, with the key that asks for it."""
        del options
        return {cls.extra: "format"} if cls.extra else {}

    @classmethod
    def check(cls, config: Any) -> None:
        """Raise ValueError where the words of a source's config don't go together."""

    @classmethod
    def check_schema(cls, reading: Reading) -> None:
        """Raise ValueError where the file that says what records hold is not what this format takes."""

    @classmethod
    def names(cls, config: Any) -> tuple[str, ...]:
        """Return the names of the columns where the config has to tell them."""
        del config
        return ()

    @classmethod
    def dated(cls, header: tuple[str, ...]) -> bool:
        """Return whether dates that come as such are to be looked at: some years are beyond what others can read."""
        del header
        return cls.breaks

    @classmethod
    def field(cls, header: str) -> str:
        """Return the column that an entry of a file's header speaks of."""
        return header

    @classmethod
    def read(cls, spark: SparkSession, group: Group, reading: Reading, types: Mapping[str, str]) -> DataFrame:
        """Return the records of files of equal columns.

        Parameters
        ----------
        types : mapping
            Declared or stored Spark types by column; casting is not the format's business.

        Returns
        -------
        DataFrame
            Raw columns under their stored names, then ``_path`` (URI of the file), ``_record bigint``, ``_raw
            string`` and ``_reasons array<string>``, empty for sound records.
        """
        raise NotImplementedError

    @classmethod
    def fault(cls, path: str, reading: Reading) -> str | None:
        """Return what keeps a file from being read that inspection did not see; for formats that Python decodes."""
        del path, reading
        return None


def format_of(name: str) -> type[Format]:
    """Return the format of this name; raises LL-CONF-020, LL-CONF-021."""
    found: type[Format] = pick(name, FORMATS)
    return found


def takers(word: str) -> list[str]:
    """Return the formats that a word of the config is for."""
    return [name for name in FORMATS if word in (*format_of(name).needs, *format_of(name).takes)]
