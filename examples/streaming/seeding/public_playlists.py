"""The index of public playlists: what listeners made public, copied from MongoDB and PostgreSQL."""

from __future__ import annotations

from typing import Any

from examples.streaming.batches import write_living
from examples.streaming.models import Listener
from examples.streaming.seeding import writers
from examples.streaming.stores import collections

NAME = "public-playlists"
SUBJECT = (Listener._meta.label_lower, "owner_id")

Document = dict[str, Any]


def index(batch_size: int) -> int:
    """
    Copy every public playlist into the index; those of listeners who are being erased stay out.

    Args:
        batch_size: Playlists that are held in memory at once.

    Returns:
        How many were copied.
    """
    public = collections()["playlists"].find({"public": True}).sort("created_at", -1)
    return write_living(public, batch_size, _write, subject=SUBJECT)


def _write(playlists: list[Document]) -> int:
    owners = Listener.objects.in_bulk({playlist["owner_id"] for playlist in playlists})
    return writers.index_documents(
        NAME,
        (
            (str(playlist["_id"]), _document(playlist, owners[playlist["owner_id"]]))
            for playlist in playlists
            if playlist["owner_id"] in owners
        ),
    )


def _document(playlist: Document, owner: Listener) -> Document:
    return {
        "owner_id": str(owner.pk),
        "owner_name": owner.display_name,
        "title": playlist["name"],
        "track_ids": playlist["track_ids"],
    }
