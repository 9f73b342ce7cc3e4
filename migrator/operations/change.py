"""
A column and the one that replaces it: which values they exchange, and the trigger that keeps them in step.

Everything here makes text; nothing is sent. The algorithm is that of expand and contract: both columns stand
for a while, and whoever writes one of them has the other written along.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_MARK = "accord_change_"
_SWITCH = "accord.copying"
_LENGTH = re.compile(r"\([^)]*\)")
_FUNCTION = """
BEGIN
    IF current_setting('{switch}', true) = 'on' THEN
        RETURN NEW;
    ELSIF NEW.{new} IS NULL THEN
        IF TG_OP = 'INSERT' OR OLD.{new} IS NOT NULL OR NEW.{old} IS DISTINCT FROM OLD.{old} THEN
            NEW.{new} := {forwards};
        END IF;
    ELSIF TG_OP = 'INSERT' OR NEW.{new} IS DISTINCT FROM OLD.{new} THEN
        NEW.{old} := {backwards};
    ELSIF NEW.{old} IS DISTINCT FROM OLD.{old} THEN
        NEW.{new} := {forwards};
    END IF;
    RETURN NEW;
END;
"""
# NULL in the new column means that nothing was said about it: a release that knows both columns, but has read
# a row before it was filled, writes NULL back.


@dataclass(frozen=True, kw_only=True)
class Change:
    """
    What replaces what.

    Attributes:
        table: Quoted, as the database has it.
        old: Quoted column that goes.
        new: Quoted column that comes.
        keys: Quoted columns of the primary key.
        old_type: Type of the old column, as a statement writes it.
        new_type: Type of the new one.
        forwards: SQL of the new column's value, with `{old}`; empty for the old one, cast where types differ.
        backwards: Value of the old column, as SQL with `{new}`; the same the other way round.
    """

    table: str
    old: str
    new: str
    keys: tuple[str, ...]
    old_type: str
    new_type: str
    forwards: str = ""
    backwards: str = ""

    @property
    def name(self) -> str:
        """Quoted name of the trigger, and of its function; columns of other names have another."""
        digest = hashlib.sha256(f"{self.table}\0{self.old}\0{self.new}".encode()).hexdigest()
        return f'"{_MARK}{digest[:16]}"'

    @property
    def body(self) -> str:
        """What the function does."""
        return _FUNCTION.format(
            switch=_SWITCH,
            old=self.old,
            new=self.new,
            forwards=self.new_value("NEW."),
            backwards=self.old_value("NEW."),
        )

    def new_value(self, row: str = "") -> str:
        """Return what the new column has to hold, for a row with some prefix."""
        return self._value(self.forwards, "{old}", f"{row}{self.old}", self.new_type)

    def old_value(self, row: str = "") -> str:
        """Return what the old column has to hold."""
        return self._value(self.backwards, "{new}", f"{row}{self.new}", self.old_type)

    def _value(self, said: str, word: str, column: str, wanted: str) -> str:
        if said:
            return f"({said.replace(word, column)})"
        if self.old_type == self.new_type:
            return column
        # A cast to a length cuts without a word; what is only assigned to one is refused.
        return f"CAST({column} AS {_LENGTH.sub('', wanted)})"

    def begin(self) -> tuple[str, ...]:
        """Return the statements that make the trigger; made again, they change nothing."""
        words = f"BEFORE INSERT OR UPDATE ON {self.table} FOR EACH ROW EXECUTE FUNCTION {self.name}()"
        body = f"LANGUAGE plpgsql AS $accord${self.body}$accord$"
        return (
            f"CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger {body}",
            f"DROP TRIGGER IF EXISTS {self.name} ON {self.table}",
            f"CREATE TRIGGER {self.name} {words}",
        )

    def end(self) -> tuple[str, ...]:
        """Return the statements that take the trigger away, if it is there."""
        return (
            f"DROP TRIGGER IF EXISTS {self.name} ON {self.table}",
            f"DROP FUNCTION IF EXISTS {self.name}()",
        )

    @property
    def disagrees(self) -> str:
        """
        Condition of rows whose columns don't say the same.

        A conversion may lose something (7.4 is 7): it is enough that one of the two follows from the other.
        """
        new = f"{self.new} IS DISTINCT FROM {self.new_value()}"
        return f"{new} AND {self.old} IS DISTINCT FROM {self.old_value()}"

    @property
    def loses(self) -> str:
        """
        Condition of rows of which something would go with the old column.

        Without words of an author, that is whatever can't be had back from the new one; an author who says
        `forwards` says what counts.
        """
        return self.disagrees if self.forwards else f"{self.old} IS DISTINCT FROM {self.old_value()}"

    @property
    def switch(self) -> str:
        """Statement by which the rest of a transaction writes one column without the other."""
        return f"SELECT set_config('{_SWITCH}', 'on', true)"
