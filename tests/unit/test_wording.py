"""What services say and pages show: English where it arises, the reader's language where it is read."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from accord.errors import UsageError
from accord.wording import explained, say, worded

ROOT = Path(__file__).parents[2]
SERVICES = (
    "gdpr/erasure",
    "gdpr/letters.py",
    "gdpr/notices",
    "gdpr/consent",
    "gdpr/register",
    "gdpr/retention/deciding.py",
    "accord/second_person.py",
    "accord/tokens.py",
)
"""Rooms whose refusals a page of the admin can show."""
SETTINGS = (
    *("gdpr/erasure/policy.py", "gdpr/erasure/remains.py", "gdpr/erasure/key_files.py"),
    "gdpr/register/named.py",
)
"""What says how a setting is wrong: to whoever starts the server, in the words of the code."""


def files() -> list[Path]:
    places = [ROOT / place for place in SERVICES]
    found = [
        file for place in places for file in ([place] if place.is_file() else sorted(place.rglob("*.py")))
    ]
    return [file for file in found if str(file.relative_to(ROOT)) not in SETTINGS]


def modules(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


def said(tree: ast.Module) -> Iterator[ast.expr]:
    """Give what a module says by errors: the first argument, and the hint; and what it writes with `say`."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        hints = [keyword.value for keyword in call.keywords if keyword.arg == "hint"]
        if name == "say" or (name[:1].isupper() and hints):
            yield from call.args[:1]
        yield from hints


def sentences(part: ast.expr) -> Iterator[str]:
    """Give the texts that are written out; what a variable or a call has is written out elsewhere."""
    if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value:
        yield part.value
    if isinstance(part, ast.IfExp):
        yield from sentences(part.body)
        yield from sentences(part.orelse)


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(ROOT)))
def test_services_write_sentences_that_can_be_said_in_another_language(file: Path) -> None:
    """No error of a service is glued together from words that no catalogue could have."""
    glued = [
        ast.unparse(part) for part in said(ast.parse(file.read_text())) if isinstance(part, ast.JoinedStr)
    ]

    assert glued == []


@pytest.mark.parametrize("language", ["fr", "de"])
@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(ROOT)))
def test_what_services_say_stands_in_both_catalogues(file: Path, language: str) -> None:
    """Each sentence is translated, and fills in the same things."""
    with translation.override(language):
        for text in (text for part in said(ast.parse(file.read_text())) for text in sentences(part)):
            there = translation.gettext(text)

            assert there != text, text
            assert names_in(there) == names_in(text), text


def names_in(pattern: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in string.Formatter().parse(pattern) if name}


def test_a_sentence_is_english_wherever_nobody_asks() -> None:
    """A terminal, a log and the trail read it as the text that it is."""
    sentence = say("Request {reference} has no plan yet.", reference="0a1b")

    with translation.override("de"):
        assert sentence == f"{sentence}" == "Request 0a1b has no plan yet."
        assert str(UsageError(sentence, hint="Plan it first.")) == "[ACC-100] Request 0a1b has no plan yet."


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "[ACC-100] Request 0a1b has no plan yet. Plan it first."),
        ("de", "[ACC-100] Antrag 0a1b hat noch keinen Plan. Erst planen."),
        ("fr", "[ACC-100] La demande 0a1b n'a pas encore de plan. Planifiez-la d'abord."),
    ],
)
def test_a_page_says_an_error_in_its_readers_language(language: str, text: str) -> None:
    """The code, what is wrong, and the next move."""
    error = UsageError(say("Request {reference} has no plan yet.", reference="0a1b"), hint="Plan it first.")

    with translation.override(language):
        assert explained(error) == text


def test_what_was_filled_in_is_said_in_the_same_language() -> None:
    """A reason inside of a sentence is no island of English."""
    why = say("Hold {reference} is released already.", reference="0a1b")

    with translation.override("de"):
        assert worded(say("{why}", why=why)) == worded(why) != why


def test_what_no_catalogue_has_stays_as_it_is() -> None:
    """A text from a project, and an empty one."""
    with translation.override("de"):
        assert worded("Ask Dr. Fuchs in room {7}.") == "Ask Dr. Fuchs in room {7}."
        assert worded("") == ""


RECEIPT = {
    "receipt": "0a" * 16,
    "request": "0b" * 16,
    "kept": [
        {"target": "shop.Invoice", "store": "default", "count": 2, "article": "17(3)(b)", "until": "2031"}
    ],
    "open_findings": [{"id": "gdpr.E001", "message": "The model shop.Note has no entry in the data map."}],
    "steps": [
        {"entry": "notes", "store": "default", "action": "delete", "found": 1, "pass": 2, "by_hand": True}
    ],
    "in_time": True,
    "ground": "17(1)(a)",
    "backups_undeclared": ["search"],
}


@pytest.mark.parametrize(
    ("language", "words", "finding"),
    [
        ("en", "Receipt of an erasure", "<li>The model shop.Note"),
        (
            "de",
            "Beleg einer Löschung",
            "<li>Ein Modell, eine Tabelle, eine Sammlung oder ein Index hat keinen Eintrag. ",
        ),
        ("fr", "Attestation d'un effacement", "<li>Un modèle, une table, une collection ou un index"),
    ],
)
def test_a_receipt_is_printed_in_its_readers_language(language: str, words: str, finding: str) -> None:
    """Its page says so, and keeps what was signed as it stands."""
    with translation.override(language):
        page = render_to_string("gdpr/receipt.html", {"receipt": RECEIPT, "signer": "self", "fault": ""})

    assert f'<html lang="{language}">' in page
    assert words in page
    assert finding in page
    assert "The model shop.Note has no entry in the data map. (gdpr.E001)" in page
    assert ("confirmed by a person" in page) is (language == "en")
