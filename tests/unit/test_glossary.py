"""The glossary is true: the names that it gives are there, and the words that it retires are no names."""

from __future__ import annotations

import io
import re
import tokenize
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("accord", "core", "gdpr", "migrator", "mongo_migrations", "searchindex")
TEXT = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
WORDS, RETIRED = TEXT.split("## Retired words")
NAMES = re.findall(r"\| `([\w.]+)` \|$", WORDS, re.MULTILINE)
GONE = re.findall(r"^\| `(\w+)` \|", RETIRED, re.MULTILINE)


@cache
def names_in_the_code() -> frozenset[str]:
    """Read every name that the product's modules have and use; migrations are history."""
    found: set[str] = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" in path.parent.name and path.stem[:4].isdigit():
                continue
            found.add(path.stem)
            with path.open("rb") as file:
                tokens = tokenize.tokenize(io.BytesIO(file.read()).readline)
                found.update(token.string for token in tokens if token.type == tokenize.NAME)
    return frozenset(found)


def resolve(name: str) -> object:
    """Import the longest part that is a module, and look the rest up in it."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: object = import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


def test_the_page_has_words_of_both_kinds() -> None:
    """A page that can't be read would make the tests below pass for nothing."""
    assert len(NAMES) > 40
    assert len(GONE) > 15


@pytest.mark.parametrize("name", NAMES)
def test_name_in_the_glossary_is_in_the_code(name: str) -> None:
    """Whoever looks a word up finds the code behind it."""
    assert resolve(name) is not None


@pytest.mark.parametrize("word", GONE)
def test_retired_word_is_no_name_in_the_code(word: str) -> None:
    """A word that was replaced comes back as no module, class, function or variable."""
    assert word not in names_in_the_code()
