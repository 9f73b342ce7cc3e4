"""
Where the service keeps personal data of listeners, why, and what becomes of them.

Every model, table, collection and index has an entry, also those that hold nothing of a
listener: `gdpr_datamap check` fails for one that was forgotten.
"""

from __future__ import annotations

from datetime import UTC, datetime

from gdpr.privacy import (
    After,
    Anonymise,
    CoarseDate,
    Constant,
    Delete,
    Entry,
    External,
    Inactive,
    Key,
    LawfulBasis,
    Nothing,
    Null,
    RandomToken,
    Recipient,
    Redact,
    Retain,
    Span,
    Subject,
    accounts,
    framework,
    logs,
    references,
    suite,
)

SUBJECT = Subject(
    model="streaming.Listener",
    key="id",
    type=int,
    lookups=("id", "email"),
    folds={"email": "email"},
    created="joined_at",
    inactive=Inactive(
        entry="django-users",
        last_seen="last_login",
        since="date_joined",
        after=Span(years=2),
        warn=Span(days=30),
        language="language",
    ),
)

OPENED = datetime(2020, 1, 1, tzinfo=UTC)
"""Before anybody joined: a date that says nothing about the person."""

PEOPLE = [
    # The row stays as the account of the invoices that the law wants kept; it leads back to nobody.
    Entry(
        id="listeners",
        store="default",
        target="streaming.Listener",
        locator=Key("id", int),
        action=Anonymise(
            {
                "email": RandomToken(suffix="@erased.invalid"),
                "display_name": Redact("Erased listener"),
                "country": Constant("ZZ"),
                "language": Constant("en"),
                "birth_year": Null(),
                "joined_at": CoarseDate(OPENED),
            }
        ),
        fields=("email", "display_name", "country", "language", "birth_year", "joined_at"),
        keeps={"Invoices refer to it; once the rest is gone it leads to nobody.": ("id",)},
        category="identity",
        purpose="Running the account.",
        basis=LawfulBasis.CONTRACT,
        retention="As long as the account exists.",
    ),
    Entry(
        id="subscriptions",
        store="default",
        target="streaming.Subscription",
        locator=Key("listener_id", int),
        action=Retain(
            article="17(3)(b)",
            basis="Invoices: commercial and tax law",
            until=After("ended_on", years=10, end_of_year=True),
        ),
        fields=("plan", "price", "currency", "period", "started_on", "ended_on"),
        keeps={"Numbers of the invoice and of the account, which leads to nobody.": ("id", "listener_id")},
        category="payment",
        purpose="Invoicing.",
        basis=LawfulBasis.LEGAL_OBLIGATION,
        recipients=("the payment provider", "the tax authority, on request"),
        retention="Ten years.",
    ),
    Entry(
        id="consents",
        store="default",
        target="streaming.Consent",
        locator=Key("listener_id", int),
        action=Delete(),
        fields=("purpose", "given", "at"),
        category="consent",
        purpose="Knowing what the person agreed to.",
        basis=LawfulBasis.LEGAL_OBLIGATION,
        retention="As long as the account exists.",
    ),
]

ACTIVITY = [
    Entry(
        id="playlists",
        store="mongodb",
        target="playlists",
        locator=Key("owner_id", int),
        action=Delete(),
        fields=("name", "track_ids"),
        category="behaviour",
        purpose="Playing what the person put together.",
        basis=LawfulBasis.CONTRACT,
        retention="As long as the account exists.",
    ),
    Entry(
        id="plays",
        store="mongodb",
        target="plays",
        locator=Key("listener_id", int),
        action=Delete(),
        fields=("track_id", "played_at", "seconds", "source"),
        category="behaviour",
        purpose="The person's history, royalties and charts; only counts leave the collection.",
        basis=LawfulBasis.CONTRACT,
        retention=After("played_at", years=10),  # as long as royalties can be claimed
    ),
    Entry(
        id="recommendations",
        store="mongodb",
        target="recommendations",
        locator=Key("listener_id", int),
        action=Delete(),
        fields=("track_ids",),
        category="profile",
        purpose="Suggesting music, with consent.",
        basis=LawfulBasis.CONSENT,
        provided=False,
        source="computed from plays and devices",
        derived_from=("plays",),
        retention="Until they expire, a few days.",
    ),
    # A copy, erased first so that nobody finds it any more, and again when its sources are gone:
    # an indexer that had read them just before may write it anew.
    Entry(
        id="public-playlists",
        store="search",
        target="public-playlists",
        locator=Key("owner_id", str),
        action=Delete(),
        fields=("owner_name", "title", "track_ids"),
        category="behaviour",
        purpose="Letting others find what the person made public.",
        basis=LawfulBasis.CONTRACT,
        source="copied from listeners and playlists",
        derived_from=("listeners", "playlists"),
        recipients=("everybody, as long as it is public",),
        retention="As long as the playlist is public.",
    ),
]

FILES = [
    Entry(
        id="pictures",
        store="external:media",
        target="pictures",
        locator=External("examples.streaming.pictures.Pictures", int),
        action=Delete(),
        fields=("picture",),
        category="identity",
        purpose="Showing others who made a playlist.",
        basis=LawfulBasis.CONTRACT,
        recipients=("everybody, as long as the person has one",),
        retention="As long as the account exists.",
    ),
]

LOGGED = {
    "listeners": "streaming.Listener",
    "subscriptions": "streaming.Subscription",
    "consents": "streaming.Consent",
    "devices": "streaming_documents.DeviceProfile",
    "listening-sessions": "streaming_documents.ListeningSession",
    "django-users": "auth.User",
}

NOT_OF_LISTENERS = {
    "default": {
        "streaming.Artist": "Artists are partners under contract, not listeners.",
        "streaming.Album": "Music.",
        "streaming.Track": "Music, with counts of all listeners together.",
        "streaming.TrackTitle": "Music.",
        "streaming.LabelPayment": "Money paid to labels.",
        "streaming.Venue": "Places.",
        "table:alembic_version": "Which revisions of royalties are applied.",
        "table:royalties_rights_holder": "Rights holders are partners under contract, not listeners.",
        "table:royalties_rate": "Rates.",
        "table:royalties_statement": "Sums for rights holders.",
        "table:royalties_split": "Shares of rights holders.",
        "table:royalties_statement_line": "Sums for rights holders.",
    },
    "search": {
        "tracks": "Music.",
        "track-embeddings": "Music.",
        "venues": "Places.",
        "play-statistics-*": "Counts of all listeners together.",
    },
}

# Invoices lie with the provider as well. An erasure leaves them to the law; of what is corrected or
# restricted it is told.
RECIPIENTS = [
    Recipient(id="payment-provider", of=("subscriptions",), mail="privacy@payments.example", language="en"),
]

DATA_MAP = [
    *PEOPLE,
    *ACTIVITY,
    *FILES,
    references("listeners", "streaming.listener"),
    accounts(Key("username", str, by="email")),  # a listener signs in on the website by e-mail
    logs(LOGGED),
    framework(),
    suite(),
    [
        Entry(
            id=f"{store}-{target.removeprefix('table:').replace('.', '-').replace('*', 'all')}".lower(),
            store=store,
            target=target,
            action=Nothing(reason),
            export=False,
        )
        for store, reasons in NOT_OF_LISTENERS.items()
        for target, reason in reasons.items()
    ],
]
