"""Plain text of separated values: ends of lines and separators alone tell its values, so that no parser is needed.

Most of what machines write is so: no quote, and as many values in each line. Two readers can't differ over it, so it
may be read by the faster one.
"""

from __future__ import annotations

from lakeloom.sources.reading import Reading

_SIGNS = bytes(range(256))
# What keeps a line end or a separator from being one, or is no sign of a text, whatever the options say.
_NEVER = (b"\0", b"\xef\xbb\xbf")
_PERIODS = 4096  # lines that are compared at a time


class Plainness:
    """Takes the bytes of a file in order and tells whether all of it is plain.

    Parameters
    ----------
    reading : Reading
        Of a source of CSV.

    Attributes
    ----------
    columns : int
        Values of each line so far; 0 before the first line's end.
    """

    def __init__(self, reading: Reading) -> None:
        options = reading.options
        separator, *quotes = (options.get(*each).encode() for each in (("sep", ","), ("quote", '"'), ("escape", '"')))
        # What starts a comment, or blanks that don't count, need to be looked for in each line.
        odd = {"comment", "multiLine", "ignoreLeadingWhiteSpace", "ignoreTrailingWhiteSpace"} & options.keys()
        # A line of blanks alone is no record, and blanks may not be the separator then.
        self._holds = not odd and separator not in b" \r\n" and all(len(sign) == 1 for sign in (separator, *quotes))
        self._separator = separator
        self._dropped = bytes(sign for sign in _SIGNS if sign not in (*separator, 10))
        self._quotes = {*quotes, *_NEVER}
        self._left = b""  # separators since the last end of a line
        self._line = b""  # separators of a line, and its end
        self._last = b""
        self.columns = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if not self._holds:
            return
        self._holds = self._ends_by_newline(chunk) and not any(sign in chunk for sign in self._quotes)
        signs = self._left + chunk.translate(None, self._dropped)
        if not self._line:
            first, end, _ = signs.partition(b"\n")
            if not end:
                self._left = signs
                return
            self._line = first + end
            self.columns = len(first) + 1
        self._holds = self._holds and self.columns > 1 and self._repeats(signs)

    def holds(self) -> bool:
        """Return whether all bytes were plain; to be asked when there are no more."""
        left = b"" if self._last == b"\n" else self._line[:-1]
        return self._holds and bool(self._line) and self._last != b"\r" and self._left == left

    def _repeats(self, signs: bytes) -> bool:
        whole, rest = divmod(len(signs), len(self._line))
        self._left = signs[len(signs) - rest :]
        period, size = self._line * _PERIODS, len(self._line)
        for at in range(0, whole, _PERIODS):
            number = min(_PERIODS, whole - at)
            if signs[at * size : (at + number) * size] != period[: number * size]:
                return False
        return self._line.startswith(self._left)

    def _ends_by_newline(self, chunk: bytes) -> bool:
        """Return whether carriage returns stand nowhere but before newlines."""
        if self._last == b"\r" and not chunk.startswith(b"\n"):
            return False
        self._last = chunk[-1:]
        return chunk.count(b"\r") - (self._last == b"\r") == chunk.count(b"\r\n")
