"""The words that people are shown, and whether a yes to earlier words still counts."""

from __future__ import annotations

import hashlib

from django.db.models import Min

from accord import clock
from accord.wording import say
from gdpr.errors import ConsentRefused
from gdpr.models import ConsentEvent, ConsentNotice


def publish_notice(
    purpose: str, version: str, language: str, text: str, *, consents_stay: bool | None = None
) -> ConsentNotice:
    """
    Put the words of a notice on record. The same words again are the same notice.

    Args:
        purpose: What people are asked about.
        version: Which words; new words need a new one.
        language: Language of the text.
        text: The words.
        consents_stay: Whether consents to earlier versions still count. Has to be said of a version that
            isn't the first; its other languages say the same.

    Raises:
        ConsentRefused: There is no text, this version exists with other words, or it isn't said (or is said
            in two ways) whether earlier consents stay.
    """
    digest = hashlib.sha256(text.encode()).hexdigest()
    if not text.strip():
        raise ConsentRefused("A notice has no text.", hint="Consent needs words that a person has seen.")
    notice, _ = ConsentNotice.objects.get_or_create(
        purpose=purpose,
        version=version,
        language=language,
        defaults={
            "text": text,
            "text_hash": digest,
            "published_at": clock.now(),
            "consents_stay": _stay(purpose, version, said=consents_stay),
        },
    )
    if notice.text_hash != digest:
        raise ConsentRefused(
            say(
                "Version {version} of the notice for “{purpose}” ({language}) exists with other words.",
                version=version,
                purpose=purpose,
                language=language,
            ),
            hint="Give the new words a new version; people have agreed to the old ones.",
        )
    return notice


def _stay(purpose: str, version: str, *, said: bool | None) -> bool:
    """Return whether consents to earlier versions stay; raise where that isn't clear."""
    known = ConsentNotice.objects.filter(purpose=purpose)
    same = known.filter(version=version).values_list("consents_stay", flat=True).first()
    if same is not None and said not in (None, same):
        raise ConsentRefused(
            say(
                "Version {version} of the notice for “{purpose}” says otherwise whether earlier consents "
                "stay.",
                version=version,
                purpose=purpose,
            ),
            hint="All languages of a version say the same.",
        )
    if same is None and said is None and known.exists():
        raise ConsentRefused(
            say(
                "It isn't said whether consents to earlier notices for “{purpose}” still count.",
                purpose=purpose,
            ),
            hint="Set consents_stay: false where people agree to something else than before.",
        )
    return same if same is not None else said is not False


def is_outdated(event: ConsentEvent) -> bool:
    """Return whether a later version of the notice ended the consents to the one that a person was shown."""
    versions = ConsentNotice.objects.filter(purpose=event.purpose)
    first = versions.filter(version=event.notice.version).aggregate(at=Min("published_at"))["at"]
    later = versions.filter(consents_stay=False, published_at__gt=first or event.notice.published_at)
    return later.exclude(version=event.notice.version).exists()
