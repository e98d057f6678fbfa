"""One POST over HTTP, and trying again: what notifications and metrics are sent with. Standard library only.

A redirect is refused: urllib would follow it with a GET, and the message would be lost in silence. An
error names the status or the kind of failure, never the address: that may be a secret.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from lakeloom.core.errors import LakeloomError, RunError

CODE = "LL-RUN-006"
_AGAIN = (408, 425, 429)
_LONGEST_PAUSE_S = 10.0


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect."""

    def redirect_request(self, *_: Any) -> None:
        """Refuse; the answer is then an error like any other."""
        return


def post(url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float, where: str) -> None:
    """POST `body`; any answer of the 200s will do.

    Parameters
    ----------
    url : str
        ``http://`` or ``https://``.
    where : str
        Who sends, for the error.

    Raises
    ------
    RunError
        LL-RUN-006: transient where the server is down, overloaded or at fault itself.
    """
    if not url.startswith(("http://", "https://")):
        raise RunError(CODE, "the address is no http:// or https:// URL", where=where, fix="mend its url")
    request = urllib.request.Request(url, body, dict(headers), method="POST")  # noqa: S310 - the scheme was checked
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=timeout_s) as answer:
            answer.read(1024)
    except urllib.error.HTTPError as cause:
        cause.close()
        again = cause.code >= 500 or cause.code in _AGAIN
        fix = "look at the receiver" if again else "mend its url, or what it asks for to let us in"
        raise RunError(CODE, f"the receiver answered {cause.code}", where=where, fix=fix, transient=again) from None
    except (OSError, ValueError) as cause:
        reason = getattr(cause, "reason", cause)
        kind = type(reason).__name__ if isinstance(reason, Exception) else type(cause).__name__
        raise RunError(
            CODE, f"the receiver can't be reached ({kind})", where=where, fix="look at the receiver", transient=True
        ) from None


def tried(
    work: Callable[[], None], attempts: int, *, pause: Callable[[float], None] = time.sleep
) -> tuple[int, LakeloomError | None]:
    """Do `work` until it succeeds, fails for good, or has been tried `attempts` times, pausing ever longer.

    Returns
    -------
    tuple
        How many times it was tried, and the last error; None where it succeeded.
    """
    error: LakeloomError | None = None
    for attempt in range(1, attempts + 1):
        try:
            work()
            return attempt, None
        except LakeloomError as failure:
            error = failure
            if not failure.transient or attempt == attempts:
                return attempt, error
            pause(min(0.5 * 2 ** (attempt - 1), _LONGEST_PAUSE_S))
    return attempts, error
