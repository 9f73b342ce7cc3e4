"""
A register at its place: how it is read, and what every place has to do besides.

Two places are known, a file (:mod:`gdpr.register.file`) and a table of another database
(:mod:`gdpr.register.table`). The tests put both through the same cases.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence

from accord.wording import say
from gdpr.errors import RegisterBroken
from gdpr.register.entries import EntryDraft, RegisterEntry, continued, fault, genesis, parsed

Chosen = Callable[[RegisterEntry], bool]


class Register(ABC):
    """A register: entries that are only ever added, durable before anything relies on them."""

    @property
    @abstractmethod
    def place(self) -> str:
        """Where it is, in messages."""

    @abstractmethod
    def lines(self) -> Generator[bytes]:
        """
        Yield every entry as it is written, the oldest first. What was begun and not ended is none yet.

        Raises:
            RegisterUnavailable: It can't be read.
        """

    @abstractmethod
    def lines_backwards(self) -> Generator[bytes]:
        """Yield every entry as it is written, the newest first. Raises as :meth:`lines`."""

    @abstractmethod
    def append(self, drafts: Sequence[EntryDraft], *, beginning: EntryDraft) -> Sequence[RegisterEntry]:
        """
        Add entries by one write, and return when they are on the disk.

        Args:
            drafts: What they say.
            beginning: The first entry of all, where there is none yet; it names the register.

        Returns:
            The entries, without the beginning.

        Raises:
            RegisterUnavailable: It can't be written; nothing was added.
            RegisterBroken: Its last entry is not what was written.
        """

    @abstractmethod
    def destroy_secrets(self, chosen: Chosen) -> int:
        """
        Take the secrets of some entries away; there whole, before or after, at any kill.

        Args:
            chosen: Says whose.

        Returns:
            How many entries lost theirs.
        """

    @abstractmethod
    def set_aside(self, name: str = "") -> str:
        """
        Give what is at the place another name.

        Args:
            name: What it is called then; some name, unless given.

        Returns:
            Where it is then; empty where nothing was there.
        """

    @abstractmethod
    def obstacle(self) -> str:
        """Say why nothing can be written here; empty where it can. Nothing is written."""

    @abstractmethod
    def unguarded(self) -> str:
        """Say what protection of the entries is gone that should stand; empty where all does."""

    @abstractmethod
    def note(self) -> str:
        """Return what a check left beside it; empty for nothing. Never raises: without it more is judged."""

    @abstractmethod
    def leave_note(self, text: str) -> None:
        """Leave what a check found for the next one, if that can be done."""

    # --- what every place has ------------------------------------------------------------------

    def exists(self) -> bool:
        """Return whether there is at least one whole entry."""
        return self.last() is not None

    def entries(self) -> Iterator[RegisterEntry]:
        """
        Yield every entry, the oldest first, unchecked.

        Raises:
            RegisterUnavailable: It can't be read.
            RegisterBroken: A line is no entry.
        """
        return map(self.parsed, self.lines())

    def newest(self) -> Iterator[RegisterEntry]:
        """Yield every entry, the newest first, unchecked. Raises as :meth:`entries`."""
        return map(self.parsed, self.lines_backwards())

    def first(self) -> RegisterEntry | None:
        """Return the oldest entry."""
        return next(self.entries(), None)

    def last(self) -> RegisterEntry | None:
        """Return the newest entry."""
        return next(self.newest(), None)

    def since(self, seq: int) -> Sequence[RegisterEntry]:
        """
        Return the entries from a number on, the oldest first, each checked with its signature.

        Raises:
            RegisterUnavailable: It can't be read.
            RegisterBroken: One of them is not what was written.
        """
        found: list[RegisterEntry] = []
        for entry in self.newest():
            if entry.seq < seq:
                break
            found.append(entry)
        found.reverse()
        for number, entry in enumerate(found):
            self.require(fault(entry, found[number - 1] if number else None))
        return found

    def parsed(self, line: bytes) -> RegisterEntry:
        """
        Read a line.

        Raises:
            RegisterBroken: It is no entry.
        """
        try:
            return parsed(line)
        except ValueError as exc:
            raise self._broken(say("A line of it is no entry")) from exc

    def require(self, wrong: str) -> None:
        """
        Say of the register what :func:`gdpr.register.entries.fault` found; nothing where that is empty.

        Raises:
            RegisterBroken: It is not.
        """
        if wrong:
            raise self._broken(wrong)

    def following(
        self, last: RegisterEntry | None, drafts: Sequence[EntryDraft], beginning: EntryDraft
    ) -> list[RegisterEntry]:
        """
        Make entries of drafts, the beginning first where there is no entry yet.

        Args:
            last: The newest entry that is there.
            drafts: What they say.
            beginning: What the first entry of all says.

        Raises:
            RegisterBroken: The newest entry is not what was written.
        """
        if last is None:
            return list(continued(0, genesis(beginning.facts["register"]), [beginning, *drafts]))
        self.require(fault(last))
        return list(continued(last.seq, last.hash, drafts))

    def _broken(self, what: str) -> RegisterBroken:
        return RegisterBroken(
            say("The register of erasures was changed. {what}: {path}.", what=what, path=self.place),
            hint="Keep it as it is, and put back the copy that you keep of it.",
        )


def bared(entry: RegisterEntry) -> bytes:
    """Return the line of an entry without its secrets."""
    return entry.without_secrets().line()
