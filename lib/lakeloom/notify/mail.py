"""A channel of kind ``email``: one mail over SMTP to fixed addresses and to the owners of the tables concerned."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from lakeloom.core.errors import RunError
from lakeloom.core.posting import CODE
from lakeloom.core.secrets import reveal
from lakeloom.notify.channel import ChannelConfig, Text, Texts
from lakeloom.notify.message import Message


def _from(value: Any) -> Any:
    if not isinstance(value, str) or "@" not in value or any(sign in value for sign in "\r\n"):
        raise ValueError("an address is wanted, such as lakeloom@example.com")
    return value


class MailConfig(ChannelConfig):
    """The server and the addresses.

    Attributes
    ----------
    host, port : str, int
    tls : {'starttls', 'tls', 'none'}
        ``tls`` from the first byte (port 465), ``none`` only for a server on this machine.
    ca : str, optional
        A file of certificates to trust, where the server's is none of a public authority.
    user, password : str or Secret, optional
        Best as ``${secret:scope/key}``. Never sent without TLS.
    sender : str
        ``from`` in the config.
    to : tuple of str
        Who gets every mail, besides the owners.
    owners : bool
        Whether the owners of the tables get it, at their addresses under ``owners:``.
    """

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    tls: Literal["starttls", "tls", "none"] = "starttls"
    ca: str | None = None
    user: Text | None = None
    password: Text | None = None
    sender: Annotated[str, BeforeValidator(_from, json_schema_input_type=str)] = Field(alias="from")
    to: Texts = ()
    owners: bool = True


class Mail:
    """Sends plain text."""

    Config = MailConfig

    @classmethod
    def send(cls, config: MailConfig, message: Message, where: str) -> None:
        """Send the mail once."""
        to = recipients(config, message)
        if not to:
            raise RunError(
                CODE, "nobody to write to: no to:, and no owner here has an address", where=where, fix="give to:"
            )
        try:
            with _connected(config) as server:
                if config.user is not None:
                    server.login(reveal(config.user), reveal(config.password or ""))
                server.send_message(_mail(config, message, to))
        except smtplib.SMTPAuthenticationError:
            raise RunError(
                CODE, "the mail server refused the login", where=where, fix="mend user and password"
            ) from None
        except ssl.SSLError as cause:
            raise RunError(
                CODE, f"no sound TLS with the mail server ({cause.reason or type(cause).__name__})", where=where,
                fix="mend tls: or give the server's certificates by ca:",
            ) from None  # fmt: skip
        except smtplib.SMTPNotSupportedError:
            raise RunError(
                CODE, "the mail server offers no STARTTLS or no login", where=where, fix="mend tls:, port: or user:"
            ) from None
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused):
            raise RunError(CODE, "the mail server refused an address", where=where, fix="mend from: and to:") from None
        except (smtplib.SMTPException, OSError) as cause:
            again = not (isinstance(cause, smtplib.SMTPResponseException) and 500 <= cause.smtp_code < 600)
            kind = type(cause).__name__
            raise RunError(
                CODE, f"the mail server can't be used ({kind})", where=where, fix="look at it", transient=again
            ) from None


def recipients(config: MailConfig, message: Message) -> list[str]:
    """Return every address once: the fixed ones, then the owners'."""
    found = [*config.to, *(each for to in message.owners.values() for each in to if config.owners)]
    return list(dict.fromkeys(found))


def _connected(config: MailConfig) -> smtplib.SMTP:
    trust = ssl.create_default_context(cafile=config.ca) if config.tls != "none" else None
    if config.tls == "tls":
        return smtplib.SMTP_SSL(config.host, config.port, timeout=config.timeout_s, context=trust)
    server = smtplib.SMTP(config.host, config.port, timeout=config.timeout_s)
    if trust is not None:
        try:
            server.starttls(context=trust)
        except BaseException:
            server.close()
            raise
    return server


def _mail(config: MailConfig, message: Message, to: list[str]) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = " ".join(message.subject.split())
    mail["From"], mail["To"] = config.sender, ", ".join(to)
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain="lakeloom.local")
    mail["Auto-Submitted"] = "auto-generated"
    owners = "".join(f"\nowner {owner}: {', '.join(at) or 'no address'}" for owner, at in message.owners.items())
    mail.set_content(message.text() + (f"\n{owners}" if owners else "") + "\n")
    return mail
