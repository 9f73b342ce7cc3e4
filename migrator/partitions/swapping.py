"""One table put in the place of another, under one name: the statements of that. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from accord.errors import StepFailed
from migrator.partitions.layout import literal
from migrator.partitions.mirror import Mirror
from migrator.partitions.table import Column, Table, quoted

Away = Callable[[str], str]
"""Gives the name that something gets whose own is taken from it."""
_HINT = "Undo the conversion (its revert drops what is not in use), and begin anew."


@dataclass(frozen=True, kw_only=True)
class Swap:
    """
    Two tables that change places.

    Attributes:
        source: The one that is in use, as it stands.
        target: The one that takes its place.
        away: How what belongs to the source is called afterwards.
        back: How what belongs to the target is called until then.
        ends: The mirror that has kept the target in step.
        begins: The one that keeps the source in step from then on; None where nothing does.
    """

    source: Table
    target: Table
    away: Away
    back: Away
    ends: Mirror
    begins: Mirror | None

    def problems(self) -> Iterator[str]:
        """Yield what the target hasn't got that the source has: it was changed since the other was made."""
        there = {index.name for index in self.target.indexes}
        lacking = [index.name for index in self.source.indexes if self.back(index.name) not in there]
        keys = {foreign.definition for foreign in self.target.foreign}
        lacking += [key.name for key in self.source.foreign if key.definition not in keys]
        if lacking:
            yield f"the other copy hasn't got {', '.join(lacking)}"

    def refuse_changed(self) -> None:
        """
        Check that the target may take the source's place.

        Raises:
            StepFailed: The table was changed since the other was made.
        """
        refuse_other_columns(self.source, self.target)
        found = [*self.problems()]
        if found:
            raise StepFailed(
                f"{self.source.name} was changed meanwhile: {'; '.join(found)}. Both stay as they are.",
                hint=_HINT,
            )

    def statements(self) -> Iterator[str]:
        """Yield the statements, for one transaction that has locked both."""
        name = self.source.name
        yield from self.ends.end()
        yield from self._sequences()
        for index in self.source.indexes:
            yield self._renamed("INDEX", index.name, self.away(index.name))
        yield self._renamed("TABLE", name, self.away(name))
        yield self._renamed("TABLE", self.target.name, name)
        for index in self.source.indexes:
            yield self._renamed("INDEX", self.back(index.name), index.name)
        said = literal(self.source.comment) if self.source.comment else "NULL"
        yield f"COMMENT ON TABLE {self.source.sql} IS {said}"
        yield from self.begins.begin() if self.begins else ()

    def _renamed(self, what: str, old: str, new: str) -> str:
        return f"ALTER {what} {self.source.beside(old)} RENAME TO {quoted(new)}"

    def _sequences(self) -> Iterator[str]:
        """Yield what lets the target count on where the source has come to."""
        for column in self.source.columns:
            other = self.target.column(column.name)
            if not column.sequence or other is None:
                continue
            if other.sequence:
                yield from self._counted_on(column.sequence, other.sequence)
            else:
                yield f"ALTER SEQUENCE {column.sequence} OWNED BY {self.target.sql}.{quoted(column.name)}"

    def _counted_on(self, source: str, target: str) -> Iterator[str]:
        """Yield what gives one identity's number and name to another: its sequence stays with its table."""
        yield f"SELECT setval({literal(target)}, last_value, is_called) FROM {source}"
        name, away = _plain(source), self.away(_plain(source))
        if _plain(target) != self.back(name):
            yield f"ALTER SEQUENCE {target} RENAME TO {quoted(self.back(name))}"
        yield f"ALTER SEQUENCE {source} RENAME TO {quoted(away)}"
        yield f"ALTER SEQUENCE {self.source.beside(self.back(name))} RENAME TO {quoted(name)}"


def refuse_other_columns(source: Table, target: Table) -> None:
    """
    Check that two copies have the same columns.

    Raises:
        StepFailed: They haven't: the one in use was changed since the other was made.
    """
    if [*map(_shape, source.columns)] != [*map(_shape, target.columns)]:
        raise StepFailed(
            f"{source.name} was changed meanwhile: its columns aren't those of {target.name}. Both stay.",
            hint=_HINT,
        )


def _shape(column: Column) -> tuple[str, str, bool, bool, str]:
    """Return what has to be the same of both; the number that identity gives comes from the one in use."""
    default = "" if column.sequence or column.default.startswith("nextval(") else column.default
    return column.name, column.type, column.required, column.generated, default


def _plain(qualified: str) -> str:
    """Return the name without schema and quotes of what the server has written with them."""
    name = qualified
    if name.endswith('"'):
        return name[name[:-1].replace('""', "  ").rindex('"') + 1 : -1].replace('""', '"')
    return name.rpartition(".")[2]
