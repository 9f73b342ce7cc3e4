"""Letters to people, in their language; nothing of them is kept but that there was one."""

from __future__ import annotations

import json

import pytest

from tests.fix_requests import Erasing

pytestmark = pytest.mark.acceptance

LETTERS = """
from accord.errors import AccordError
from gdpr import letters
from gdpr.erasure import restrictions
from gdpr.letters import LetterKind
def written(reference, kind, language):
    try: letter = letters.write(reference, LetterKind(kind), language=language, by=filer)
    except AccordError as exc: return exc.code
    return [letter.subject, letter.text]
extended, refused, done = planned(1), planned(2), erasure.work(approved(3))
early = [written(one.reference, kind, "en") for one, kind in
         ((extended, "extension"), (refused, "refusal"), (extended, "completion"))]
requests.extend(extended, ExtensionReason.COMPLEXITY, by=filer)
requests.reject(refused, RejectionGround.LEGAL_CLAIMS, by=approver)
who = keys(4)
restriction = restrictions.restrict(who, RestrictionReason.CONTESTED, by=filer)
whole = {language: [
    written(extended.reference, "extension", language), written(refused.reference[:8], "refusal", language),
    written(done.reference, "completion", language), written(restriction.reference, "lifting", language),
] for language in ("en", "fr", "de")}
restrictions.lift(restriction, told_at=restriction.restricted_at, by=filer)
say([early, whole, written(restriction.reference, "lifting", "en")])
"""


def test_a_letter_tells_what_happened_in_the_persons_language(erasing: Erasing) -> None:
    """Not before it happened; each kind in each language, with the ways to complain where it is a no."""
    early, whole, late = erasing.call(LETTERS)

    assert (early, late) == (["ACC-822"] * 3, "ACC-822")
    extension, refusal, completion, lifting = (text for _subject, text in whole["en"])
    assert "complexity" in extension
    assert "legal claims (Art. 17(3)(e))" in refusal
    assert "data protection authority" in refusal
    assert "Invoices: commercial and tax law" in completion
    assert "accuracy contested" in lifting
    texts = {text for letters in whole.values() for letter in letters for text in letter}
    assert len(texts) == 24, "no language says it in the words of another"
    assert "Behörde" in whole["de"][1][1] or "Aufsichtsbehörde" in whole["de"][1][1]
    assert "autorité" in whole["fr"][1][1]
    made = "SELECT count(*) FROM accord_auditevent WHERE event = 'letter.made'"
    assert erasing.rows(made) == [(12,)]


def test_a_letter_is_shown_written_to_a_file_or_sent(erasing: Erasing) -> None:
    """The address comes by input, and stands in no table; a mail that isn't taken is an error."""
    reference = erasing.reference("erasure.work(approved(3))")
    shown = erasing.command("gdpr_letter", reference[:8], "completion", "--language", "de", "--as", "filer")
    foreign = erasing.command(
        "gdpr_letter", reference[:8], "completion", "--language", "tlh", "--as", "filer"
    )
    sent = erasing.call(
        f"""
from django.conf import settings
from django.core import mail
from gdpr import letters
from gdpr.letters import LetterKind
settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
letter = letters.write({reference!r}, LetterKind.COMPLETION, language="en", by=filer)
letters.send(letter, "ada@example.org", by=filer)
settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
from accord.errors import AccordError
try: letters.send(letter, "ada@example.org", by=filer)
except AccordError as exc: refused = exc.code
[one] = mail.outbox
say([one.to, one.subject, one.body == letter.text, refused])
"""
    )

    assert shown.returncode == 0, shown.stderr
    assert "Ihre personenbezogenen Daten" in shown.stdout
    assert foreign.returncode == 2
    assert sent == [["ada@example.org"], "Your personal data are erased", True, "ACC-820"]
    events = "SELECT event, count(*) FROM accord_auditevent WHERE event LIKE 'letter.%' GROUP BY 1 ORDER BY 1"
    assert erasing.rows(events) == [("letter.made", 2), ("letter.sent", 1)]
    [(kept,)] = erasing.rows("SELECT json_agg(e)::text FROM accord_auditevent e")
    assert "ada@example.org" not in kept
    assert json.loads(kept)
