"""No message holds a password, whatever characters are in it."""

from __future__ import annotations

import random
import string

import pytest

from accord.secrets.redact import HIDDEN, address, first_line, redact
from tests.chance import chance

ODD = "/@#?:%&=+[],;!$ "
HOSTS = ("db.example.org", "db.example.org:27017", "a:1,b:2,c:3", "[::1]:9200", "127.0.0.1:5432")
SCHEMES = ("mongodb", "mongodb+srv", "http", "https", "postgres", "postgresql")
ENDINGS = ("", "/", "/music", "/music?replicaSet=rs0", "/?authSource=admin", "?tls=true")
# Letters that stand in no other part of the URLs and messages here.
LETTERS = string.ascii_uppercase


def password(dice: random.Random) -> str:
    """Return letters and what a person would have to encode, in any order."""
    return "".join(dice.choice(LETTERS + ODD * 2) for _ in range(dice.randint(3, 14)))


def leaks(secret: str, text: str) -> bool:
    """Return whether three letters or more of a secret stand in a text together."""
    return any(
        part in text for part in (secret[at : at + 3] for at in range(len(secret) - 2)) if part.isalpha()
    )


def test_no_part_of_a_password_is_shown() -> None:
    """Slashes, at-signs and hashes in it are common where nobody encoded them."""
    dice = chance("passwords in URLs")
    for _ in range(3000):
        secret = "".join((password(dice), "QXZ", password(dice)))
        host, scheme, ending = dice.choice(HOSTS), dice.choice(SCHEMES), dice.choice(ENDINGS)
        url = f"{scheme}://{dice.choice(['joe', '', 'j.o@e'])}:{secret}@{host}{ending}"

        for shown in (address(url), redact(f"connection to {url} failed"), redact(f"bad address '{url}'")):
            assert not leaks(secret, shown), (url, shown)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mongodb://joe:geheim@db1:27017,db2:27017/music?replicaSet=rs0", "db1:27017,db2:27017"),
        ("mongodb://db1/music", "db1"),
        ("mongodb+srv://joe:a%2Fb@cluster0.example.org/?retryWrites=true", "cluster0.example.org"),
        ("http://127.0.0.1:9200", "127.0.0.1:9200"),
        ("https://elastic:x@[::1]:9200/prefix", "[::1]:9200"),
        ("postgresql://joe@db:5432/music", "db:5432"),
        ("/var/run/postgresql", "/var/run/postgresql"),
        ("db.example.org:27017", ""),
        ("", ""),
    ],
)
def test_plain_url_is_shown_by_its_hosts(url: str, shown: str) -> None:
    """What can be read in one way only."""
    assert address(url) in (shown, url)


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://joe:S3cr3t/tail@host:27017/music",
        "mongodb://joe:p@ss:w/rd@host/music",
        "http://elastic:12345/tail@host:9200",
        "postgresql://joe:se#cret@host/music",
        "mongodb://joe:se?cret@host/music",
        "mongodb://host/music?note=a@b",
    ],
)
def test_url_that_may_be_read_in_two_ways_is_hidden(url: str) -> None:
    """Nobody can tell where the password ends, so nothing of it is shown."""
    scheme = url.partition("://")[0]

    assert address(url) == f"{scheme}://{HIDDEN}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://docs.example.org/page for more", "see https://docs.example.org/page for more"),
        ("mongodb://joe:geheim@h/x is wrong", "mongodb://***@h/x is wrong"),
        ("password=geheim rest", "password=*** rest"),
        ("mail ada@example.org", "mail ada@example.org"),
    ],
)
def test_the_rest_of_a_message_stays(text: str, shown: str) -> None:
    """Only what may be a secret goes."""
    assert redact(text) == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("can't run there (set atomic = False).", "can't run there (set atomic = False)"),
        ("\n  no schema.\nDETAIL: one more.", "no schema"),
        (".", "ValueError"),
        ("", "ValueError"),
        ("see http://joe:geheim@h/x.", "see http://***@h/x"),
    ],
)
def test_words_of_a_driver_end_without_a_full_stop(said: str, shown: str) -> None:
    """The sentence that quotes them has one of its own; two stood there."""
    assert first_line(ValueError(said)) == shown
