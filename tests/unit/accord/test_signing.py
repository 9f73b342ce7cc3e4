"""Signatures and derived keys."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pytest_django.fixtures import Settings

from accord.errors import ConfigurationError, ExitCode, ForeignSignature, ForgedSignature
from accord.secrets import keys, signing

PURPOSE = "accord.test/1"
KEY = base64.b64encode(b"k" * 32).decode()


@pytest.fixture(autouse=True)
def _plain(settings: Settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS, settings.ACCORD = "one", [], {}


def test_signature_holds_for_what_was_signed() -> None:
    """It is our own."""
    assert signing.verify(b"text", signing.sign(b"text", purpose=PURPOSE), purpose=PURPOSE) == "self"


def test_same_text_has_the_same_signature() -> None:
    """Keys are derived, not drawn: every process of a project signs alike."""
    assert signing.sign(b"text", purpose=PURPOSE) == signing.sign(b"text", purpose=PURPOSE)


@pytest.mark.parametrize(
    ("text", "purpose"), [(b"texT", PURPOSE), (b"text", "accord.test/2"), (b"", PURPOSE)]
)
def test_signature_of_something_else_is_refused(text: bytes, purpose: str) -> None:
    """Neither another text nor another purpose."""
    signature = signing.sign(b"text", purpose=PURPOSE)

    with pytest.raises(ForgedSignature) as refused:
        signing.verify(text, signature, purpose=purpose)

    assert refused.value.exit_code is ExitCode.BLOCKED


def test_purpose_and_text_cannot_trade_letters() -> None:
    """The purpose is framed."""
    signature = signing.sign(b"bc", purpose="a")

    with pytest.raises(ForgedSignature):
        signing.verify(b"c", signature, purpose="ab")


@pytest.mark.parametrize("text", ["", "x", "a:b", "rsa:0:AAAA", "ed25519:0:%", "ed25519:a:b:c"])
def test_text_that_is_no_signature_is_refused(text: str) -> None:
    """Whatever stands there."""
    with pytest.raises(ForgedSignature, match="can't be read"):
        signing.verify(b"text", text, purpose=PURPOSE)


def test_signature_of_a_stranger_is_refused(settings: Settings) -> None:
    """Another installation's key counts only where it is trusted."""
    signature, public = signing.sign(b"text", purpose=PURPOSE), signing.public_key()
    settings.SECRET_KEY = "two"

    with pytest.raises(ForeignSignature):
        signing.verify(b"text", signature, purpose=PURPOSE)
    settings.ACCORD = {"TRUSTED_KEYS": {"staging": public}}
    assert signing.verify(b"text", signature, purpose=PURPOSE) == "staging"


def test_replaced_secret_still_verifies(settings: Settings) -> None:
    """What was signed under a fallback stays valid; new things are signed anew."""
    signature, old = signing.sign(b"text", purpose=PURPOSE), signing.key_id()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "two", ["one"]

    assert signing.verify(b"text", signature, purpose=PURPOSE) == "self"
    assert signing.key_id() != old


def test_configured_key_signs(settings: Settings) -> None:
    """It doesn't depend on the secret, and its public half checks without this project."""
    settings.ACCORD = {"SIGNING_KEY": KEY}
    expected = Ed25519PrivateKey.from_private_bytes(b"k" * 32).public_key().public_bytes_raw()

    signature = signing.sign(b"text", purpose=PURPOSE)

    assert base64.b64decode(signing.public_key()) == expected
    framed = b"accord signature 1" + len(PURPOSE).to_bytes(4, "big") + PURPOSE.encode() + b"text"
    Ed25519PublicKey.from_public_bytes(expected).verify(base64.b64decode(signature.split(":")[2]), framed)


@pytest.mark.parametrize("key", ["short", "§§", base64.b64encode(b"k" * 31).decode()])
@pytest.mark.parametrize("setting", ["SIGNING_KEY", "TRUSTED_KEYS"])
def test_key_that_is_none_is_said(settings: Settings, setting: str, key: str) -> None:
    """The setting is named, its value isn't."""
    settings.ACCORD = {setting: key if setting == "SIGNING_KEY" else {"staging": key}}

    with pytest.raises(ConfigurationError, match=setting) as refused:
        signing.verify(b"text", "ed25519:0:AAAA", purpose=PURPOSE)

    assert key not in str(refused.value)


def test_purposes_have_keys_of_their_own() -> None:
    """A key for one purpose says nothing of another; neither does its id."""
    first, second = keys.current("accord.one"), keys.current("accord.two")

    assert first.secret != second.secret
    assert first.id != second.id
    assert len(first.secret) == 32
    assert first.secret.hex()[:16] != first.id
    assert "secret" not in repr(first)
