"""Envelopes: who can open an export, and what is refused before anything is read."""

from __future__ import annotations

import sys

import pyrage
import pytest

from accord.errors import AccordError, ConfigurationError
from gdpr.envelopes.age import Envelope
from gdpr.errors import ExportRefused

LONG = "twelve chars"


def test_any_of_several_keys_opens_it_and_no_other() -> None:
    """Who asked, and whoever answers for them."""
    one, other, stranger = (pyrage.x25519.Identity.generate() for _ in range(3))
    sealed = Envelope(recipients=(str(one.to_public()), f" {other.to_public()}\n")).sealed(b"what is kept")

    assert [pyrage.decrypt(sealed, [key]) for key in (one, other)] == [b"what is kept"] * 2
    assert b"kept" not in sealed
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(sealed, [stranger])


def test_password_opens_it_and_no_other() -> None:
    """What is typed is taken as it is, in every script."""
    sealed = Envelope(password="zwölf Zeichen").sealed(b"what is kept")

    assert pyrage.passphrase.decrypt(sealed, "zwölf Zeichen") == b"what is kept"
    with pytest.raises(pyrage.DecryptError):
        pyrage.passphrase.decrypt(sealed, LONG)


def test_what_was_changed_on_the_way_is_not_opened() -> None:
    """A file that somebody touched says so."""
    key = pyrage.x25519.Identity.generate()
    sealed = bytearray(Envelope(recipients=(str(key.to_public()),)).sealed(b"what is kept"))
    sealed[-1] ^= 1

    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(bytes(sealed), [key])


SECRET = str(pyrage.x25519.Identity.generate())


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope(),
        Envelope(password="eleven char"),
        Envelope(recipients=("age1nonsense",)),
        Envelope(recipients=(SECRET,)),
        Envelope(recipients=("",)),
        Envelope(recipients=(str(pyrage.x25519.Identity.generate().to_public()),), password=LONG),
    ],
    ids=["neither", "short", "nonsense", "secret key", "empty", "both"],
)
def test_what_nobody_or_everybody_could_open_is_refused(envelope: Envelope) -> None:
    """No export is made then, and a secret key that was mixed up is not repeated."""
    with pytest.raises(ExportRefused) as caught:
        envelope.require()
    with pytest.raises(ExportRefused):
        envelope.sealed(b"what is kept")

    assert SECRET not in str(caught.value) + caught.value.hint


def test_password_is_in_no_message() -> None:
    """Tracebacks and logs show envelopes."""
    assert LONG not in repr(Envelope(password=LONG))


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written unencrypted instead."""
    monkeypatch.setitem(sys.modules, "pyrage", None)

    with pytest.raises(AccordError) as caught:
        Envelope(password=LONG).sealed(b"what is kept")

    assert isinstance(caught.value, ConfigurationError)
    assert "pip install 'django-accord[export]'" in caught.value.hint
