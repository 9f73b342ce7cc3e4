"""Puts a text in the place of the one before, in a transaction that its caller holds open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import DatabaseError, connections, transaction

from accord.causes import root_of
from accord.connecting import code_of
from accord.errors import ConflictingState, InvalidRevision
from migrator.objects.book import Book, Entry
from migrator.objects.catalog import Address, Catalog, is_same
from migrator.objects.files import Name
from migrator.objects.saying import failed
from migrator.objects.source import ObjectSource

# "It is there already", "that can't be changed by OR REPLACE", and "that is another kind of thing".
_IN_THE_WAY = frozenset({"42P07", "42723", "42710", "42P16", "42P13", "42809"})


@dataclass(frozen=True, kw_only=True)
class Put:
    """
    What putting a text came to.

    Attributes:
        live: Hash of how the server writes the object now; empty where it is gone.
        found: True when it stood there before, as this text makes it, and nobody had made it with us.
        again: What stands on it and was made again, with how the server writes that now.
    """

    live: str
    found: bool = False
    again: tuple[tuple[Entry, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Taken:
    """What an object had beside its definition."""

    kept: tuple[str, ...]
    comment: str | None
    closed: bool


@dataclass(frozen=True, kw_only=True)
class _Dropped:
    """Something that goes and comes again, with what it takes along."""

    entry: Entry
    source: ObjectSource
    taken: _Taken


class Replacing:
    """
    One text that takes the place of another.

    Args:
        database: Alias in Django's settings; a transaction is open.
        book: What the ledger holds.
        newest: Texts of today's files: what stands on an object is made again from these.
    """

    def __init__(self, database: str, book: Book, newest: Mapping[Name, ObjectSource]) -> None:
        self._database = database
        self._book = book
        self._newest = newest
        self._catalog = Catalog(connections[database])

    def put(self, wanted: ObjectSource, current: Entry | None) -> Put:
        """
        Make an object as a text says, whatever stands there.

        Args:
            wanted: The text.
            current: The text of its file that stands; None for the first one.

        Raises:
            ConflictingState: It stands there, or was changed, without us, and not as the text makes it; or
                something else stands on it that nobody could make again.
            InvalidRevision: The text makes something else.
            StepFailed: The server refuses it.
        """
        own = current is not None and not current.source.removed
        old = current.source if current is not None and own else wanted
        before = self._catalog.live(old)
        strange = before is not None and (current is None or not own or self._is_changed(current, before))
        if wanted.removed:
            self._refuse_strange(wanted, current, strange=strange)
            if before is not None:
                self._drop(old)
            return Put(live="")
        if not old.same_object(wanted):
            self._refuse_strange(wanted, None, strange=self._catalog.live(wanted) is not None)
        again = self._replace(old, wanted) if before is not None else self._make(wanted)
        live = self._made(wanted)
        if strange and not (live == before and old.same_object(wanted)):
            self._refuse_strange(wanted, current, strange=True)
        return Put(live=live, found=strange and current is None, again=tuple(again))

    def take_away(self, entry: Entry) -> None:
        """
        Drop an object as it was before its first text: not there.

        Raises:
            ConflictingState: It was changed without us.
            StepFailed: Something stands on it.
        """
        live = self._catalog.live(entry.source)
        strange = live is not None and self._is_changed(entry, live)
        self._refuse_strange(entry.source, entry, strange=strange)
        if live is not None:
            self._drop(entry.source)

    def _is_changed(self, entry: Entry, live: str) -> bool:
        known = bool(entry.live) and self._catalog.is_comparable(entry.live)
        return known and not is_same(entry.live, live)

    def _refuse_strange(self, wanted: ObjectSource, current: Entry | None, *, strange: bool) -> None:
        if not strange:
            return
        if current is None or current.source.removed:
            fact = f"The {wanted.words} stands there, no step made it, and {wanted.path} makes another one."
            hint = "Write what stands there into the file, or drop it by hand, then run again."
        else:
            fact = f"The {wanted.words} was changed since {current.app}.{current.name} made it."
            hint = "Write the change into the file. If it may go, drop the object by hand, then run again."
        raise ConflictingState(f"{fact} Nothing was changed.", hint=hint)

    # --- acting ------------------------------------------------------------------------------------

    def _make(self, wanted: ObjectSource) -> Sequence[tuple[Entry, str]]:
        with failed(wanted):
            self._catalog.send(wanted.text)
        self._refuse_others(wanted)
        return ()

    def _replace(self, old: ObjectSource, wanted: ObjectSource) -> Sequence[tuple[Entry, str]]:
        """Let the server replace it, or else drop it with what stands on it, and make all of it again."""
        if old.same_object(wanted) and not wanted.kind.adds:
            try:
                with transaction.atomic(using=self._database):
                    self._catalog.send(wanted.text)
                    self._refuse_others(wanted)
                    return ()
            except DatabaseError as exc:
                if code_of(root_of(exc)) not in _IN_THE_WAY:
                    with failed(wanted):
                        raise
        return self._make_anew(old, wanted)

    def _make_anew(self, old: ObjectSource, wanted: ObjectSource) -> Sequence[tuple[Entry, str]]:
        above = self._above(old)
        taken = self._taken(old)
        for one in reversed(above):
            self._drop(one.source)
        self._drop(old)
        self._make(wanted)
        if old.same_object(wanted):
            self._give_back(wanted, taken)
        return [self._make_again(one) for one in above]

    def _drop(self, source: ObjectSource) -> None:
        """Drop it, and never what stands on it: the server refuses where something does."""
        with failed(source):
            self._catalog.send(source.drop)

    def _make_again(self, one: _Dropped) -> tuple[Entry, str]:
        with failed(one.source):
            self._catalog.send(one.source.text)
        self._give_back(one.source, one.taken)
        return one.entry, self._made(one.source)

    def _taken(self, source: ObjectSource) -> _Taken:
        look = self._catalog
        return _Taken(
            kept=tuple(look.kept(source)), comment=look.comment(source), closed=look.is_closed(source)
        )

    def _give_back(self, source: ObjectSource, taken: _Taken) -> None:
        """Give grants, owner and comment back that the object had; what the file says of itself stays."""
        if taken.closed and not self._catalog.has_grants(source):
            self._catalog.send(f"REVOKE ALL ON ROUTINE {source.identity} FROM PUBLIC")
        for statement in taken.kept:
            self._catalog.send(statement)
        if taken.comment is not None and self._catalog.comment(source) is None:
            written = self._catalog.quoted(taken.comment)
            self._catalog.send(f"COMMENT ON {source.kind.word.upper()} {source.identity} IS {written}")

    # --- looking -----------------------------------------------------------------------------------

    def _made(self, wanted: ObjectSource) -> str:
        live = self._catalog.live(wanted)
        if live is None:
            raise InvalidRevision(
                f"{wanted.path} was sent, and there is no {wanted.words}. It was rolled back.",
                hint="Let the first line name what the file makes; a function with its arguments' types.",
            )
        return live

    def _refuse_others(self, wanted: ObjectSource) -> None:
        own = {self._catalog.address(wanted), *self._catalog.table_of(wanted)}
        others = [words for address, words in self._catalog.touched().items() if address not in own]
        if others and self._catalog.oid(wanted) is not None:
            raise InvalidRevision(
                f"{wanted.path} makes more than the {wanted.words}: {', '.join(sorted(others))}. "
                "It was rolled back.",
                hint="Give each object a file of its own, and leave tables to migrations.",
            )

    def _above(self, source: ObjectSource) -> Sequence[_Dropped]:
        """
        Return what stands on an object, nearest first.

        Raises:
            ConflictingState: Something does that no file makes.
        """
        address = self._catalog.address(source)
        found = self._catalog.above(address) if address is not None else ()
        ours = dict(self._ours()) if found else {}
        foreign = [one.words for one in found if one.address not in ours]
        if foreign:
            raise ConflictingState(
                f"The {source.words} has to be made anew, and on it stand, made by no file of "
                f"database_objects: {', '.join(foreign)}. Nothing was changed.",
                hint="Give them files, so that they can be made again, or drop them in a migration before.",
            )
        return [self._dropped(ours[one.address]) for one in found]

    def _ours(self) -> Iterator[tuple[Address, Entry]]:
        for entry in self._book.standing():
            address = self._catalog.address(entry.source)
            if address is not None:
                yield address, entry

    def _dropped(self, entry: Entry) -> _Dropped:
        live = self._catalog.live(entry.source)
        strange = live is not None and self._is_changed(entry, live)
        self._refuse_strange(entry.source, entry, strange=strange)
        newest = self._newest.get(entry.of, entry.source)
        source = newest if newest.same_object(entry.source) and not newest.removed else entry.source
        return _Dropped(entry=entry, source=source, taken=self._taken(entry.source))
