"""What engines say where the line to a root in an object store breaks: that is no damage, and it may pass.

delta-rs and Spark each have words of their own for it, and both tell a file that is not there otherwise.
"""

from __future__ import annotations

import re

from lakeloom.core.errors import SourceError
from lakeloom.objects.faults import unreachable

# The object_store crate below delta-rs, after its own tries.
_DELTA_RS = (
    r"error sending request|error decoding response body|operation timed out"
    r"|HTTP error|Server returned non-2xx status code: 5\d\d|Server returned error response: 5\d\d"
)
# Hadoop's connectors, by the exceptions that only they raise.
_CONNECTORS = r"AWS(?:Client|Service)IOException|AWSStatus500Exception|AWSServiceThrottledException"
# What any client of the JVM raises counts where an object of a store is what it was about.
_JVM = (
    r"Sdk(?:Client)?Exception|Abfs\w*Exception|\w*(?:Timeout|Connect|Socket|HttpResponse|ConnectionClosed|SSL)Exception"
)
_STORE = r"\b(?:s3a|gs|abfss?)://|fs\.s3a|fs\.azurebfs|cloud\.hadoop"
_BROKEN = re.compile(rf"(?i:{_DELTA_RS})|{_CONNECTORS}")
_ABOUT, _OF = re.compile(_STORE), re.compile(_JVM)


def away(text: str, where: str) -> SourceError | None:
    """Return LL-SOURCE-001, transient, where an engine's text tells of a store that can't be reached; else None."""
    if _BROKEN.search(text) or (_ABOUT.search(text) and _OF.search(text)):
        return unreachable(where, "the line to its store broke")
    return None
