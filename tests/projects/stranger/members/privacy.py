"""Where the site keeps personal data of its members."""

from __future__ import annotations

from gdpr.privacy import Delete, Entry, Key, Subject

SUBJECT = Subject(
    model="members.Member", key="id", type=int, lookups=("id", "email"), folds={"email": "email"}
)
DATA_MAP = [
    Entry(
        id="members",
        store="default",
        target="members.Member",
        locator=Key("id", int),
        action=Delete(),
        fields=("email", "joined"),
        category="identity",
        purpose="Running the site.",
    ),
]
