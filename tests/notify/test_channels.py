"""Each kind of channel against a real server of its kind, sound and broken. Suite over the table of kinds."""

import hmac
import json
import socket
from email import message_from_string

import pytest
from pydantic import ValidationError

from lakeloom.core.errors import RunError
from lakeloom.core.kinds import pick
from lakeloom.core.secrets import Secret
from lakeloom.notify import CHANNELS
from lakeloom.notify.delivery import Letter, deliver
from lakeloom.notify.webhook import signature
from tests.notify.servers import PASSWORD, USER, Quiet, Receiver, Smtp
from tests.servers.serving import serving

LEAST = {
    "email": {"host": "127.0.0.1", "from": "lakeloom@example.com", "to": "a@example.com", "tls": "none"},
    "slack": {"url": "http://127.0.0.1"},
    "webhook": {"url": "http://127.0.0.1"},
}


def letter(kind, message, **options):
    found = pick(kind, CHANNELS)
    config = found.Config.model_validate({"kind": kind} | LEAST[kind] | options)
    return Letter(f"notify.0 {kind}", found, config, message)


def sent(*letters):
    pauses = []
    return deliver(list(letters), pause=pauses.append), pauses


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def at(kind, server):
    return {"port": server.port} if kind == "email" else {"url": server.url + "/hook"}


def server_of(kind, *answers):
    return Smtp() if kind == "email" else Receiver(*answers)


def test_the_table_and_this_suite_know_the_same_kinds():
    assert set(LEAST) == set(CHANNELS)


@pytest.mark.parametrize("kind", CHANNELS)
def test_a_message_arrives_once(kind, message):
    with serving(server_of(kind)) as server:
        (told,), pauses = sent(letter(kind, message, **at(kind, server)))
        assert (told.delivered, told.attempts, told.error, pauses) == (True, 1, None, [])
        arrived = server.mails if kind == "email" else server.seen
        assert len(arrived) == 1
        assert "LL-TABLE-005" in str(arrived[0]) and "ops@example.com" in str(arrived[0])


@pytest.mark.parametrize("kind", CHANNELS)
def test_a_server_that_is_down_is_tried_again_and_then_told(kind, message):
    place = {"port": free_port()} if kind == "email" else {"url": f"http://127.0.0.1:{free_port()}/hook"}
    (told,), pauses = sent(letter(kind, message, attempts=3, **place))
    assert (told.delivered, told.attempts, pauses) == (False, 3, [0.5, 1.0])
    assert told.error["code"] == "LL-RUN-006" and told.error["where"] == f"notify.0 {kind}"


@pytest.mark.parametrize("kind", ["slack", "webhook"])
def test_a_receiver_at_fault_is_tried_again_and_takes_it(kind, message):
    with serving(Receiver(500, 429)) as server:
        (told,), _ = sent(letter(kind, message, url=server.url))
        assert (told.delivered, told.attempts) == (True, 3)
        assert len({headers.get("X-Lakeloom-Delivery") for _, headers, _ in server.seen}) == 1


@pytest.mark.parametrize(("status", "path"), [(403, "/hook"), (404, "/hook"), (302, "/moved")])
def test_a_refusal_or_redirect_is_not_tried_again_and_the_address_is_not_shown(status, path, message):
    with serving(Receiver(status)) as server:
        (told,), _ = sent(letter("slack", message, url=Secret(server.url + path + "/T0K3N")))
        assert (told.delivered, told.attempts, len(server.seen)) == (False, 1, 1)
        assert str(status) in told.error["message"] and "T0K3N" not in str(told)


def test_slack_gets_text_and_blocks_and_nothing_in_it_is_a_mention(message):
    with serving(Receiver()) as server:
        sent(letter("slack", message, url=server.url))
        body = json.loads(server.seen[0][2])
    assert set(body) == {"text", "blocks"} and body["text"].startswith("[shop/local]")
    assert [block["type"] for block in body["blocks"]] == ["header", "section", "context"]
    assert all(len(json.dumps(block)) < 3500 for block in body["blocks"])
    from lakeloom.notify.slack import escaped

    assert escaped("<!channel> & ```") == "&lt;!channel&gt; &amp; '''"


def test_a_webhook_is_signed_over_time_and_body(message):
    with serving(Receiver()) as server:
        sent(letter("webhook", message, url=server.url, secret=Secret("k0ala-signs"), headers={"X-Team": "data"}))
        _, headers, body = server.seen[0]
    assert headers["X-Team"] == "data"
    expected = signature("k0ala-signs", headers["X-Lakeloom-Timestamp"], body)
    assert hmac.compare_digest(headers["X-Lakeloom-Signature"], expected)
    assert (
        signature("k0ala-signs", "1", body)
        != expected
        != signature("k0ala-signs", headers["X-Lakeloom-Timestamp"], body + b" ")
    )
    document = json.loads(body)
    assert set(document) == {"project", "env", "run_id", "subject", "events", "owners"}
    assert set(document["events"][0]) == {"kind", "subject", "text", "code", "fix", "owner"}


def test_a_mail_goes_over_starttls_with_login_to_owners_and_fixed_addresses(message, pem):
    options = {"tls": "starttls", "ca": str(pem), "user": USER, "password": Secret(PASSWORD), "to": ["a@example.com"]}
    with serving(Smtp(pem)) as server:
        (told,), _ = sent(letter("email", message, port=server.port, **options))
        assert told.delivered and server.logins == [USER]
        sender, to, text = server.mails[0]
    assert sender == "<lakeloom@example.com>"
    assert to == ["a@example.com", "ops@example.com", "boss@example.com", "sales@example.com"]
    mail = message_from_string(text)
    assert mail["Subject"].startswith("[shop/local] 2 failed") and mail["Auto-Submitted"] == "auto-generated"
    assert "owner sales: sales@example.com" in mail.get_payload()


@pytest.mark.parametrize(
    ("options", "secure", "attempts", "says"),
    [
        ({"tls": "starttls"}, False, 1, "offers no STARTTLS"),
        ({"tls": "starttls"}, True, 1, "no sound TLS"),
        ({"tls": "tls"}, False, 1, "no sound TLS"),
        ({"tls": "none", "user": USER, "password": PASSWORD}, False, 1, "no login"),
        (
            {"tls": "starttls", "ca": "PEM", "user": USER, "password": Secret("wrong-pass-77")},
            True,
            1,
            "refused the login",
        ),
        ({"tls": "starttls", "ca": "PEM", "refuse": "RCPT"}, True, 1, "refused an address"),
        ({"tls": "starttls", "ca": "PEM", "refuse": "DATA"}, True, 2, "can't be used"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_wrong_tls_login_or_address_is_told_without_the_password(options, secure, attempts, says, message, pem):
    refuse = options.pop("refuse", None) if "refuse" in options else None
    options = {key: str(pem) if value == "PEM" else value for key, value in options.items()}
    with serving(Quiet(pem if secure else None, refuse=[refuse] if refuse else ())) as server:
        (told,), _ = sent(letter("email", message, port=server.port, attempts=2, timeout_s=3, **options))
        assert not told.delivered and server.mails == []
    assert (told.attempts, told.error["code"]) == (attempts, "LL-RUN-006")
    assert says in told.error["message"] and told.error["fix"]
    assert not any(secret in str(told) for secret in (PASSWORD, "wrong-pass-77"))


def test_a_mail_to_nobody_is_told(message):
    with serving(Smtp()) as server:
        (told,), _ = sent(letter("email", message, port=server.port, to=[], owners=False))
    assert "nobody to write to" in told.error["message"]


def test_channels_do_not_wait_for_or_fail_each_other(message):
    class Broken:
        Config = pick("slack", CHANNELS).Config

        @classmethod
        def send(cls, config, message, where):
            raise KeyError("row 42 is Ada")

    with serving(Receiver()) as server:
        wrong = Letter("notify.0 mine", Broken, Broken.Config.model_validate({"kind": "x", "url": "http://x"}), message)
        told, _ = sent(wrong, letter("webhook", message, url=server.url))
    assert [each.delivered for each in told] == [False, True]
    assert "KeyError" in told[0].error["message"] and "Ada" not in str(told[0])


@pytest.mark.parametrize("options", [{"from": "a\nBcc: b@example.com"}, {"from": "nobody"}, {"tls": "no"}, {"port": 0}])
def test_a_malformed_mail_config_is_refused(options):
    with pytest.raises(ValidationError):
        pick("email", CHANNELS).Config.model_validate({"kind": "email"} | LEAST["email"] | options)


def test_no_other_scheme_than_http_is_opened(message):
    (told,), _ = sent(letter("webhook", message, url="file:///etc/passwd"))
    assert "no http" in told.error["message"]
    with pytest.raises(RunError):
        letter("webhook", message, url="ftp://x/y").kind.send(
            letter("webhook", message, url="ftp://x/y").config, message, "w"
        )
