"""The trigger that has every write of one table done to another in the same transaction. Makes text alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from migrator.partitions.table import Catalog, listed, quoted

_BODY = """
DECLARE
    gone bigint;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'accord: % can''t be truncated while another copy of it is kept', TG_TABLE_NAME
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Delete its rows, or end the conversion of the table first.';
    END IF;
    IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND ({old}) IS DISTINCT FROM ({new}) THEN
        DELETE FROM {target} WHERE ({keys}) = ({old});
        GET DIAGNOSTICS gone = ROW_COUNT;
        IF gone = 0 AND current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
            -- The row may have been copied after this transaction's snapshot: then this is refused, as any
            -- write of such a transaction to a row that changed meanwhile, and it is to be tried again.
            INSERT INTO {target} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({old_row})
                ON CONFLICT ({keys}) DO NOTHING;
            DELETE FROM {target} WHERE ({keys}) = ({old});
        END IF;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO {target} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({new_row})
            ON CONFLICT ({keys}) DO {update};
    END IF;
    RETURN NULL;
END
"""
_STANDS = """
SELECT count(*) = 2 AND bool_and(g.tgenabled = 'A' AND p.prosrc = %s)
    AND sum((SELECT count(*) FROM unnest(g.tgattr))) = %s
FROM pg_trigger g
JOIN pg_proc p ON p.oid = g.tgfoid
WHERE g.tgrelid = to_regclass(%s) AND p.oid = to_regproc(%s) AND NOT g.tgisinternal
"""


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """
    One table whose writes another one repeats.

    Attributes:
        source: Qualified and quoted, as the following.
        target: The other table, which has the same columns.
        schema: Quoted schema of the function.
        columns: Columns that are written.
        keys: Columns by which the target knows a row.
    """

    source: str
    target: str
    schema: str
    columns: Sequence[str]
    keys: Sequence[str]

    @property
    def name(self) -> str:
        """Name of its triggers, without quotes; each pair of tables has another."""
        pair = f"{self.source}\0{self.target}".encode()
        return f"accord_mirror_{hashlib.sha256(pair).hexdigest()[:16]}"

    @property
    def function(self) -> str:
        """Qualified name of its function."""
        return f"{self.schema}.{quoted(self.name)}"

    @property
    def body(self) -> str:
        """What the function does."""
        others = [name for name in self.columns if name not in self.keys]
        assigned = ", ".join(f"{quoted(name)} = EXCLUDED.{quoted(name)}" for name in others)
        return _BODY.format(
            target=self.target,
            keys=listed(self.keys),
            old=listed(self.keys, "OLD."),
            new=listed(self.keys, "NEW."),
            columns=listed(self.columns),
            old_row=listed(self.columns, "OLD."),
            new_row=listed(self.columns, "NEW."),
            update=f"UPDATE SET {assigned}" if others else "NOTHING",
        )

    def begin(self) -> tuple[str, ...]:
        """
        Return the statements that make it; made again, they change nothing.

        It writes with its owner's rights, because who may write the one table need not know the other. It is
        on for replication, too, and for sessions that play a replica. Columns are named so that it goes with
        one that is dropped (Django says CASCADE): else every write of the application would fail.
        """
        head = "LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
        call = f"EXECUTE FUNCTION {self.function}()"
        body = f"$accord${self.body}$accord$"
        columns, on = listed(self.columns), f"ON {self.source}"
        rows, whole = quoted(self.name), quoted(f"{self.name}_all")
        return (
            f"CREATE OR REPLACE FUNCTION {self.function}() RETURNS trigger {head} AS {body}",
            f"DROP TRIGGER IF EXISTS {rows} ON {self.source}",
            f"DROP TRIGGER IF EXISTS {whole} ON {self.source}",
            f"CREATE TRIGGER {rows} AFTER INSERT OR DELETE OR UPDATE OF {columns} {on} FOR EACH ROW {call}",
            f"CREATE TRIGGER {whole} BEFORE TRUNCATE {on} FOR EACH STATEMENT {call}",
            f"ALTER TABLE {self.source} ENABLE ALWAYS TRIGGER {rows}",
            f"ALTER TABLE {self.source} ENABLE ALWAYS TRIGGER {whole}",
        )

    def end(self) -> tuple[str, ...]:
        """Return the statements that take it away, if it is there."""
        return (
            f"DROP TRIGGER IF EXISTS {quoted(self.name)} ON {self.source}",
            f"DROP TRIGGER IF EXISTS {quoted(f'{self.name}_all')} ON {self.source}",
            f"DROP FUNCTION IF EXISTS {self.function}()",
        )

    def stands(self, catalog: Catalog) -> bool:
        """Return whether it is there by its whole text, and on."""
        return bool(catalog.one(_STANDS, [self.body, len(self.columns), self.source, self.function]))
