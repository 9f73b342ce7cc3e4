"""Which spellings of a text are one key: forms of Unicode, case, domains; and what only looks alike."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from accord.erased.folding import Fold, folded
from accord.erased.subject_key import spellings
from accord.erased.tombstones import subject_tags
from tests.chance import chance

COMPOSED, DECOMPOSED = "é", "e\u0301"
TEXTUAL = [fold for fold in Fold if fold is not Fold.EXACT]


@pytest.mark.parametrize(
    ("left", "right", "alike"),
    [
        ("Mixed.Case@Example.com", "mixed.case@example.COM", {Fold.CASE, Fold.EMAIL}),
        (COMPOSED, DECOMPOSED, {Fold.FORM, Fold.CASE, Fold.EMAIL}),
        (f"Ren{COMPOSED}@x.org", f"REN{DECOMPOSED.upper()}@X.org", {Fold.CASE, Fold.EMAIL}),
        ("a@münchen.de", "A@xn--mnchen-3ya.DE", {Fold.EMAIL}),
        ("a@MU\u0308NCHEN.de", "a@xn--mnchen-3ya\u3002de", {Fold.EMAIL}),
        ("straße", "STRASSE", {Fold.CASE, Fold.EMAIL}),
        ("\u212aelvin", "kelvin", {Fold.CASE, Fold.EMAIL}),
        ("a@straße.de", "a@strasse.de", {Fold.CASE}),
        ("１", "1", set[Fold]()),
        ("аdmin@x.org", "admin@x.org", set[Fold]()),
        ("ﬀ"[:1] + "@x", "f@x", set[Fold]()),
        ("a@x.org", "b@x.org", set[Fold]()),
    ],
)
def test_spellings_of_one_key(left: str, right: str, alike: set[Fold]) -> None:
    """Each folding takes for equal what it says, and no look-alike."""
    found = {fold for fold in Fold if folded(left, fold) == folded(right, fold)}

    assert found == alike


@pytest.mark.parametrize("fold", Fold)
def test_folding_twice_changes_nothing(fold: Fold) -> None:
    """Of every character, in either part of an address, folding the folded gives the same."""
    source = chance(f"folding {fold}")
    letters = [
        chr(source.choice([source.randrange(0x3000), source.randrange(sys.maxunicode)])) for _ in range(9_000)
    ]

    for letter in letters:
        for text in (letter, f"{letter}@example.org", f"a@{letter}.org"):
            once = folded(text, fold)
            assert folded(once, fold) == once, f"U+{ord(letter):04X}"


@pytest.mark.parametrize("fold", TEXTUAL)
def test_forms_of_unicode_are_one(fold: Fold) -> None:
    """Whatever a text is made of, its composed and its decomposed form are one key."""
    source = chance(f"forms {fold}")
    for _ in range(2_000):
        text = "".join(chr(source.randrange(0x41, 0x2000)) for _ in range(source.randrange(1, 9)))
        forms = {folded(unicodedata.normalize(form, text), fold) for form in ("NFC", "NFD")}
        assert forms == {folded(text, fold)}, text.encode("unicode_escape")


@pytest.mark.parametrize("key", [42, "42", "0" * 24, "00000000-0000-0000-0000-00000000000a", None, ""])
def test_only_texts_have_spellings(key: object) -> None:
    """A number, a UUID and an ObjectId have one canonical form, and nobody's key has none."""
    assert spellings(key) == {}


@pytest.mark.parametrize("fold", TEXTUAL)
def test_tag_of_a_folded_key_is_shared_by_its_spellings(fold: Fold) -> None:
    """The first tag is that of every spelling; it is no tag of the exact text, nor of another folding."""
    first = [subject_tags("shop.person", text, fold)[0] for text in (COMPOSED, DECOMPOSED)]
    exact = {tag for text in (COMPOSED, DECOMPOSED) for tag in subject_tags("shop.person", text)}
    others = {subject_tags("shop.person", COMPOSED, one)[0] for one in TEXTUAL if one is not fold}

    assert first[0] == first[1]
    assert not {first[0]} & (exact | others)
    assert subject_tags("shop.person", 42, fold) == subject_tags("shop.person", 42)
