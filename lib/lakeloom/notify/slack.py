"""A channel of kind ``slack``: an incoming webhook as Slack, Mattermost, Rocket.Chat and others take it.

Source: Slack's "Sending messages using incoming webhooks"; ``text`` is the notification, ``blocks`` the message.
"""

from __future__ import annotations

import json

from lakeloom.core.posting import post
from lakeloom.core.secrets import reveal
from lakeloom.notify.channel import ChannelConfig, Text
from lakeloom.notify.message import Message

# A section's text may have 3,000 characters.
_LONGEST = 2_900


class SlackConfig(ChannelConfig):
    """Where the webhook is.

    Attributes
    ----------
    url : str or Secret
        Best as ``${secret:scope/key}``: whoever knows it can write there.
    """

    url: Text


class Slack:
    """Posts ``{"text", "blocks"}``."""

    Config = SlackConfig

    @classmethod
    def send(cls, config: SlackConfig, message: Message, where: str) -> None:
        """Post the message once."""
        text = message.text()
        cut = text if len(text) <= _LONGEST else text[:_LONGEST] + "\n…"
        owners = ", ".join(f"{owner} ({', '.join(to)})" if to else owner for owner, to in message.owners.items())
        body = {
            "text": escaped(message.subject),
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": message.subject[:150]}},
                {"type": "section", "text": {"type": "mrkdwn", "text": f"```{escaped(cut)}```"}},
                *(
                    [{"type": "context", "elements": [{"type": "mrkdwn", "text": escaped(f"owners: {owners}")}]}]
                    if owners
                    else []
                ),
            ],
        }
        headers = {"Content-Type": "application/json"}
        post(reveal(config.url), json.dumps(body).encode(), headers, timeout_s=config.timeout_s, where=where)


def escaped(text: str) -> str:
    """Return `text` so that Slack takes nothing in it for a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("```", "'''")
