"""A channel of kind ``webhook``: the message as JSON, signed where a secret is given.

The signature is HMAC-SHA256 over ``<X-Lakeloom-Timestamp>.<body>``, so that neither can be changed and
an old message can be told from a new one; ``X-Lakeloom-Delivery`` is the same in every attempt, so
that a receiver can drop what came twice.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime

from pydantic import Field

from lakeloom.core.posting import post
from lakeloom.core.secrets import reveal
from lakeloom.core.steps import digest
from lakeloom.notify.channel import ChannelConfig, Text
from lakeloom.notify.message import Message


class WebhookConfig(ChannelConfig):
    """Where to post, and with what.

    Attributes
    ----------
    url : str or Secret
    secret : str or Secret, optional
        Signs the message; best as ``${secret:scope/key}``.
    headers : dict
        More headers, such as ``Authorization: ${secret:scope/token}``.
    """

    url: Text
    secret: Text | None = None
    headers: dict[str, Text] = Field(default={})


class Webhook:
    """Posts the message's plain data."""

    Config = WebhookConfig

    @classmethod
    def send(cls, config: WebhookConfig, message: Message, where: str) -> None:
        """Post the message once."""
        content = message.as_dict()
        body = json.dumps(content, ensure_ascii=False, sort_keys=True).encode()
        headers = {"Content-Type": "application/json", "X-Lakeloom-Delivery": digest(where, content)}
        headers |= {name: reveal(value) for name, value in config.headers.items()}
        if config.secret is not None:
            at = str(int(datetime.now(UTC).timestamp()))
            headers |= {"X-Lakeloom-Timestamp": at, "X-Lakeloom-Signature": signature(reveal(config.secret), at, body)}
        post(reveal(config.url), body, headers, timeout_s=config.timeout_s, where=where)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return ``sha256=<hexadecimal>`` over timestamp and body."""
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
