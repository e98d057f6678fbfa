"""Secrets are used and never shown."""

import io
import logging
import pickle

import pytest

from lakeloom.core.errors import RunError
from lakeloom.core.secrets import MaskingFilter, Secret, mask


def test_a_secret_shows_itself_nowhere():
    secret = Secret("tiger-7781-x")
    assert "tiger" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "tiger-7781-x"
    assert pickle.loads(pickle.dumps(secret)) == secret


@pytest.mark.parametrize(
    "text",
    [
        "jdbc:postgresql://joe:hunter22@h/db",
        "jdbc:x:y?user=joe&password=hunter22",
        "PASSWORD = hunter22;",
        "token: hunter22",
    ],
)
def test_a_password_in_a_url_is_masked_even_where_it_was_never_registered(text):
    assert "hunter22" not in mask(text)
    assert "***" in mask(text)


def test_an_error_masks_what_it_is_told():
    Secret("lion-4431-y")
    error = RunError("LL-RUN-004", "it said lion-4431-y", where="lion-4431-y", fix="not lion-4431-y")
    assert "lion" not in str(error) + str(error.as_dict()) + repr(error)
    assert pickle.loads(pickle.dumps(error)).as_dict() == error.as_dict()


def test_logs_are_masked(caplog):
    Secret("bear-9917-z")
    logger = logging.getLogger("lakeloom.test")
    logger.addFilter(MaskingFilter())
    logger.warning("key %s", "bear-9917-z")
    assert "bear" not in caplog.text


def test_a_traceback_in_a_log_is_masked():
    Secret("heron-5521-q")
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.addFilter(MaskingFilter())
    logger = logging.getLogger("lakeloom.traceback")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        raise ValueError("it said heron-5521-q")
    except ValueError:
        logger.exception("no", stack_info=True)
    assert "ValueError: it said ***" in said.getvalue() and "test_secrets.py" in said.getvalue()
    assert "heron" not in said.getvalue()


def test_short_values_do_not_blank_out_text():
    Secret("on")
    assert mask("once upon a time") == "once upon a time"
