"""The French and German words: complete in both, compiled, with the same placeholders as the English ones."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.utils.translation import template, trans_real

ROOT = Path(__file__).parents[2]
APPS = ("accord", "gdpr", "migrator")
LANGUAGES = ("fr", "de")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{[a-z]\w*(?::\w+)?\}")
MARKS = ("_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy")
STRING = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
MARKED = re.compile(rf"n?gettext\({STRING}(?:, {STRING}, count)?\)")
"""What Django's own look at a template makes of its translate tags."""
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
def test_a_word_is_translated_the_same_way_in_every_app(language: str) -> None:
    """A site has one catalogue of all apps: of two translations of a word, one is never seen."""
    said: dict[object, set[str]] = {}
    for app in APPS:
        for english, translated in compiled(app, language).items():
            said.setdefault(english, set()).add(translated)

    assert {english: words for english, words in said.items() if english and len(words) > 1} == {}


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


def marked(file: Path) -> Iterator[str]:
    """Give the words that a module or a page hands over to be translated."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".html":
        text = "\n".join(MARKED.findall(template.templatize(text, origin=str(file))))
    for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if name in MARKS and isinstance(call.args[0], ast.Constant):
            yield str(call.args[0].value)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("app", APPS)
def test_every_word_that_is_marked_is_translated(app: str, language: str) -> None:
    """Nobody wrote a word and forgot the other two languages; some are Django's own, which knows them."""
    files = [file for kind in ("*.py", "*.html") for file in (ROOT / app).rglob(kind)]
    catalogue = trans_real.translation(language)._catalog  # type: ignore[attr-defined]  # as above

    words = {text for file in files for text in marked(file) if text}

    assert len(words) > 50
    assert {text for text in words if text not in catalogue and (text, 0) not in catalogue} == set()
