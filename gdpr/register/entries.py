"""
Entries of the register: each continues the one before by its hash, and is signed.

What leads to a person stands in an entry's secrets, and its hash covers a salted commitment to them in their
place. So they can be destroyed when no backup can bring the person back any more, and the chain still holds.
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from accord.errors import SignatureError
from accord.secrets import signing
from accord.wording import say

PURPOSE = "accord.erasure.register/1"


class EntryWord(enum.StrEnum):
    """What an entry says."""

    BEGUN = "begun"
    """The register of a database begins; the first entry of each."""
    INTENDED = "intended"
    """A person is about to be erased; written before anything of theirs is."""
    DONE = "done"
    """The erasure is complete, and has a receipt."""
    RESTORED = "restored"
    """A store was restored to an earlier state, and its replay begins."""
    TOLD = "told"
    """A person said who has the key of an erased person since then."""
    REPLAYED = "replayed"
    """Nobody is left whom the restore brought back."""


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """
    What leads to a person. Destroyed when the entry is no longer kept.

    Attributes:
        salt: Random, so that nobody finds out by trying what the commitment was made from.
        tag: The person's tag.
        keys: Their keys, sealed.
    """

    salt: str = field(repr=False)
    tag: str = field(repr=False)
    keys: str = field(repr=False)

    def commitment(self) -> str:
        """Return what stands for the secrets in the chain."""
        return hashlib.sha256(f"{self.salt}\n{self.tag}\n{self.keys}".encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class EntryDraft:
    """
    What is to be written.

    Attributes:
        word: What it says.
        at: When that was.
        request: Reference of the erasure request; empty where it is about none.
        keep_until: When its secrets are destroyed; None where it has none.
        facts: Digests and further references.
        secrets: What leads to the person.
    """

    word: EntryWord
    at: datetime
    request: str = ""
    keep_until: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    secrets: Secrets | None = None


@dataclass(frozen=True, kw_only=True)
class RegisterEntry:
    """
    An entry as it stands in the register.

    Attributes:
        seq: Its number, from 1 on.
        draft: What it says. Its secrets are None, too, when they were destroyed.
        commitment: To its secrets; empty where it never had any.
        previous: Hash of the entry before.
        hash: Its own, over everything but the secrets.
        signature: Over that.
    """

    seq: int
    draft: EntryDraft
    commitment: str
    previous: str
    hash: str
    signature: str

    @property
    def is_bare(self) -> bool:
        """Whether it once had secrets and has none now."""
        return bool(self.commitment) and self.draft.secrets is None

    def without_secrets(self) -> RegisterEntry:
        """Return the entry as it stands once its secrets are destroyed."""
        return replace(self, draft=replace(self.draft, secrets=None))

    def line(self) -> bytes:
        """Write the entry as a line of the file."""
        secrets = {} if self.draft.secrets is None else {"secrets": asdict(self.draft.secrets)}
        proof = {"hash": self.hash, "signature": self.signature}
        return json.dumps({**_public(self), **proof, **secrets}).encode() + b"\n"


def genesis(register: str) -> str:
    """Return what the first entry of a register continues."""
    return hashlib.sha256(f"{PURPOSE}\n{register}".encode()).hexdigest()


def continued(seq: int, previous: str, drafts: Iterable[EntryDraft]) -> Iterator[RegisterEntry]:
    """
    Make entries of drafts.

    Args:
        seq: Number of the entry before, 0 for none.
        previous: Its hash, or what :func:`genesis` gave.
        drafts: What they say.
    """
    for number, draft in enumerate(drafts, seq + 1):
        commitment = draft.secrets.commitment() if draft.secrets else ""
        bare = RegisterEntry(
            seq=number, draft=draft, commitment=commitment, previous=previous, hash="", signature=""
        )
        digest = _digest(bare)
        yield replace(bare, hash=digest, signature=signing.sign(digest.encode(), purpose=PURPOSE))
        previous = digest


def parsed(line: bytes) -> RegisterEntry:
    """
    Read a line of the file.

    Raises:
        ValueError: It is no entry.
    """
    try:
        return _parsed(json.loads(line))
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError(str(exc)) from exc


def _parsed(read: Mapping[str, Any]) -> RegisterEntry:
    secrets, kept = read.get("secrets"), read["keep_until"]
    draft = EntryDraft(
        word=EntryWord(read["word"]),
        at=datetime.fromisoformat(read["at"]),
        request=str(read["request"]),
        keep_until=datetime.fromisoformat(kept) if kept else None,
        facts=dict(read["facts"]),
        secrets=Secrets(**secrets) if secrets else None,
    )
    names = ("commitment", "previous", "hash", "signature")
    return RegisterEntry(seq=int(read["seq"]), draft=draft, **{name: str(read[name]) for name in names})


def fault(entry: RegisterEntry, previous: RegisterEntry | None = None, *, signed: bool = True) -> str:
    """
    Describe what is wrong with an entry; empty where nothing is.

    Args:
        entry: Which.
        previous: The entry before, where that was read, too.
        signed: Whether to check the signature, which takes longer than everything else.
    """
    if previous is not None and (entry.seq, entry.previous) != (previous.seq + 1, previous.hash):
        return say("Entry {seq} does not continue the one before it", seq=entry.seq)
    secrets = entry.draft.secrets
    if _digest(entry) != entry.hash or (secrets is not None and secrets.commitment() != entry.commitment):
        return say("Entry {seq} is not what was written", seq=entry.seq)
    if signed and not _is_signed(entry):
        return say("Entry {seq} bears no signature of this project", seq=entry.seq)
    return ""


def _is_signed(entry: RegisterEntry) -> bool:
    try:
        signer = signing.verify(entry.hash.encode(), entry.signature, purpose=PURPOSE)
    except SignatureError:
        return False
    return signer == signing.OURSELVES


def _digest(entry: RegisterEntry) -> str:
    return hashlib.sha256(json.dumps(_public(entry), sort_keys=True).encode()).hexdigest()


def _public(entry: RegisterEntry) -> dict[str, object]:
    draft = entry.draft
    return {
        "seq": entry.seq,
        "word": str(draft.word),
        "request": draft.request,
        "at": draft.at.isoformat(),
        "keep_until": draft.keep_until.isoformat() if draft.keep_until else "",
        "facts": dict(draft.facts),
        "commitment": entry.commitment,
        "previous": entry.previous,
    }
