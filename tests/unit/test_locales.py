"""The French and German words: complete in both, compiled, with the same placeholders as the English ones."""

from __future__ import annotations

import gettext
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APPS = ("accord", "gdpr", "migrator")
LANGUAGES = ("fr", "de")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]")
TEXT = re.compile(r'^(msgid|msgid_plural|msgstr|msgstr\[[01]\]) "(.*)"$', re.MULTILINE)


def compiled(app: str, language: str) -> Mapping[object, str]:
    with (ROOT / app / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        return gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]  # there is no public way to list them


def source(app: str, language: str) -> list[tuple[str, str]]:
    text = (ROOT / app / "locale" / language / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8")
    entries = text.split("\n\n")[1:]
    return [
        (said[0][1], said[-1][1])
        for said in (TEXT.findall(entry.replace('"\n"', "")) for entry in entries)
        if said
    ]


@pytest.mark.parametrize("app", APPS)
def test_both_languages_say_the_same_things(app: str) -> None:
    """No word is there in one language and missing in the other."""
    french, german = (set(compiled(app, language)) for language in LANGUAGES)

    assert french == german
    assert len(french) > 50


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("app", APPS)
def test_translations_keep_the_placeholders(app: str, language: str) -> None:
    """What is filled in is filled in, in each language, and nothing is left empty."""
    for english, translated in source(app, language):
        assert translated
        assert sorted(PLACEHOLDER.findall(translated)) == sorted(PLACEHOLDER.findall(english)), english


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("app", APPS)
def test_what_is_compiled_is_what_is_written(app: str, language: str) -> None:
    """Nobody changed the words and forgot to compile them."""
    known = {key[0] if isinstance(key, tuple) else key for key in compiled(app, language)}

    assert {english.replace('\\"', '"') for english, _translated in source(app, language)} == known - {""}
