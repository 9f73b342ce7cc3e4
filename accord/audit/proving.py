"""
Proof that one event is in the trail, for whoever has the public key, and neither database nor project.

The event's hash is computed from its fields; each event behind it takes the hash before into its own, up to
one whose head was signed. What comes after the event stands in the proof as bytes, which name nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from accord import db
from accord.audit import signed_heads
from accord.audit.chain import FIELDS, Link
from accord.audit.signed_heads import Head
from accord.errors import AuditChainBroken, AuditError, UsageError
from accord.models import AuditEvent
from accord.secrets import signing

SCHEMA = "accord.audit.proof/1"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """
    What shows that an event is in the trail.

    Attributes:
        event: The event.
        path: Of each event behind it, up to the head's, the bytes before the hash of the one before.
        head: A signed head.
    """

    event: Link
    path: Sequence[bytes]
    head: Head

    def document(self) -> Mapping[str, object]:
        """Describe it as a JSON document that needs nothing but the public key."""
        head = self.head
        return {
            "schema": SCHEMA,
            "event": dict(zip(FIELDS, self.event.texts(), strict=True)),
            "path": [one.hex() for one in self.path],
            "head": {
                "database": head.database,
                "size": head.size,
                "hash": head.hash,
                "signature": head.signature,
            },
            "public_key": signing.public_key(),
        }


def prove(seq: int, *, using: str) -> Proof:
    """
    Prove that an event is in the trail.

    Args:
        seq: Its number.
        using: Database of the trail.

    Raises:
        UsageError: There is no such event.
        AuditError: No signed head covers it yet.
        AuditChainBroken: Between the event and the head, the trail is not what was written.
        StoreError: The trail can't be read.
    """
    with db.reading("The audit trail", using):
        found = signed_heads.gather(using)
        newest = AuditEvent.objects.using(using).order_by("-seq").values_list("seq", flat=True).first() or 0
        if not 1 <= seq <= newest:
            raise UsageError(f"The trail has no event {seq}.", hint=f"Its events are numbered 1 to {newest}.")
        head = _head_for(seq, found.heads())
        return _proof(list(_links(seq, head.size, using)), head)


def _head_for(seq: int, found: Iterator[Head]) -> Head:
    """Choose the first head behind an event: the fewer events between, the shorter the proof."""
    behind = sorted((head for head in found if head.size >= seq), key=lambda head: head.size)
    signed = (head.signed_for() for head in behind)
    chosen = next((head for head in signed if head is not None), None)
    if chosen is None:
        raise AuditError(
            f"No signed head covers event {seq} yet.", hint="manage.py audit_verify --checkpoint signs one."
        )
    return chosen


def _proof(links: Sequence[tuple[Link, str]], head: Head) -> Proof:
    before = links[0][0].prev_hash if links else ""
    for link, digest in links:
        if link.prev_hash != before or link.digest() != digest:
            raise _broken(link.seq)
        before = digest
    if len(links) != head.size - links[0][0].seq + 1 or before != head.hash:
        raise _broken(head.size)
    path = [link.before_the_last() for link, _ in links[1:]]
    return Proof(event=links[0][0], path=path, head=head)


def _links(first: int, last: int, using: str) -> Iterator[tuple[Link, str]]:
    rows = AuditEvent.objects.using(using).filter(seq__gte=first, seq__lte=last).order_by("seq")
    for *values, digest in rows.values_list(*FIELDS, "hash"):
        yield Link(**dict(zip(FIELDS, values, strict=True))), digest


def _broken(seq: int) -> AuditChainBroken:
    return AuditChainBroken(
        f"Nothing can be proved: event {seq} is not what was written.",
        hint="manage.py audit_verify --full names everything that is wrong.",
    )
