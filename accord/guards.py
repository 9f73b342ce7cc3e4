"""
What PostgreSQL itself holds against changing the audit trail, and whether it still stands.

The triggers keep programs, administrators and mistakes out. Who owns the tables can drop
them; that is why :func:`missing` looks, and why the signed heads exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RemoveConstraint, RunSQL
from django.db.migrations.state import ProjectState
from django.utils.module_loading import import_string

from accord import trigger_texts

Check = tuple[type[models.Model], models.CheckConstraint]

_REFUSE = """
BEGIN
    -- Django's test runner empties every table between tests; its databases are named test_...
    IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\\_%' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'The audit trail is only ever added to: % is refused.', TG_OP
        USING ERRCODE = 'restrict_violation';
END;
"""

_REFUSE_EMPTYING = """
BEGIN
    -- Django's test runner empties every table between tests; its databases are named test_...
    IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\\_%' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% of % is refused: it holds evidence.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END;
"""

_CONTINUE = """
DECLARE
    last record;
BEGIN
    SELECT seq, hash INTO last FROM accord_auditevent ORDER BY seq DESC LIMIT 1;
    IF NEW.seq <> coalesce(last.seq, 0) + 1 OR NEW.prev_hash <> coalesce(last.hash, NEW.prev_hash) THEN
        RAISE EXCEPTION 'Event % does not continue the audit trail, which ends with %.', NEW.seq, last.seq
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
"""

_FIRST_SIGHT = """
BEGIN
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'A reference stands for one account from its first sight on: % is refused.', TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    NEW.made_at := clock_timestamp();
    RETURN NEW;
END;
"""

_STANDING_TRIGGERS = """
SELECT t.tgname, p.proname, p.prosrc FROM pg_trigger t
JOIN pg_proc p ON p.oid = t.tgfoid
JOIN unnest(%s::text[], %s::text[]) AS wanted(name, tab) ON wanted.name = t.tgname
WHERE t.tgrelid = to_regclass(wanted.tab) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')"""

_ABSENT_TABLES = """
SELECT DISTINCT tab FROM unnest(%s::text[]) AS wanted(tab) WHERE to_regclass(tab) IS NULL ORDER BY tab"""

_STANDING_CHECKS = """
SELECT conname FROM pg_constraint
WHERE conrelid IN (SELECT to_regclass(tab) FROM unnest(%s::text[]) AS guarded(tab))
  AND contype = 'c' AND convalidated"""


@dataclass(frozen=True, kw_only=True)
class Guards:
    """
    Triggers that hold against changes, as statements and as a question; and the checks of the same tables.

    Migrations run the statements: their text never changes once it was released.

    Attributes:
        functions: Body by name.
        tables: Table by the name of its trigger.
        triggers: Statements that create the triggers.
    """

    functions: Mapping[str, str]
    tables: Mapping[str, str]
    triggers: Sequence[str]

    def __add__(self, more: Guards) -> Guards:
        """Return these guards and those that a later migration added."""
        return Guards(
            functions={**self.functions, **more.functions},
            tables={**self.tables, **more.tables},
            triggers=[*self.triggers, *more.triggers],
        )

    @property
    def install(self) -> list[Any]:  # Django's stubs want lists that may hold parameters, too
        """Return the statements that put the triggers in place."""
        made = (
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body${body}$body$"
            for name, body in self.functions.items()
        )
        return [*made, *self.triggers]

    @property
    def remove(self) -> list[Any]:
        """Return the statements that remove the triggers, for a migration that goes back."""
        dropped = (f"DROP TRIGGER IF EXISTS {name} ON {table}" for name, table in self.tables.items())
        return [*dropped, *(f"DROP FUNCTION IF EXISTS {name}()" for name in self.functions)]

    @property
    def restore(self) -> list[Any]:
        """Return the statements that put every trigger back in place, whatever became of it."""
        return [*self.remove, *self.install]

    def absent_tables(self, connection: BaseDatabaseWrapper) -> Sequence[str]:
        """Return the tables that aren't there yet to be protected, sorted."""
        with connection.cursor() as cursor:
            cursor.execute(_ABSENT_TABLES, [list(self.tables.values())])
            return [name for (name,) in cursor.fetchall()]

    def missing(self, connection: BaseDatabaseWrapper) -> Sequence[str]:
        """
        Return the triggers that should stand and don't, sorted.

        One counts as missing, too, when it is disabled or calls another text.
        """
        with connection.cursor() as cursor:
            cursor.execute(_STANDING_TRIGGERS, [list(self.tables), list(self.tables.values())])
            standing = {
                name for name, function, text in cursor.fetchall() if self.functions.get(function) == text
            }
        return sorted(set(self.tables) - standing)

    def missing_checks(self, connection: BaseDatabaseWrapper) -> Sequence[Check]:
        """
        Return the check constraints that the models of these tables declare and that don't stand.

        One counts as missing, too, when it isn't validated: rows that were there may break it.
        """
        with connection.cursor() as cursor:
            cursor.execute(_STANDING_CHECKS, [list(self.tables.values())])
            standing = {name for (name,) in cursor.fetchall()}
        return [one for one in self._checks() if one[1].name not in standing]

    def restore_checks(self, connection: BaseDatabaseWrapper) -> Sequence[str]:
        """Return the statements that put the missing check constraints back in place."""
        found = self.missing_checks(connection)
        with connection.schema_editor(collect_sql=True, atomic=False) as editor:
            for model, constraint in found:
                table, name = (editor.quote_name(one) for one in (model._meta.db_table, constraint.name))
                editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
                editor.add_constraint(model, constraint)
            return [statement.rstrip(";") for statement in editor.collected_sql]

    def gone(self, connection: BaseDatabaseWrapper) -> Sequence[str]:
        """Return the names of all that should stand and doesn't, triggers and checks, sorted."""
        checks = (constraint.name for _, constraint in self.missing_checks(connection))
        return sorted({*self.missing(connection), *checks})

    def _checks(self) -> Iterator[Check]:
        tables = set(self.tables.values())
        for model in apps.get_models():
            if model._meta.db_table in tables:
                declared_here = model._meta.constraints
                yield from ((model, one) for one in declared_here if isinstance(one, models.CheckConstraint))


def against_emptying(app: str, tables: Iterable[str], *, rows_stay: Iterable[str] = ()) -> Guards:
    """
    Return guards that refuse TRUNCATE, which no trigger for a row ever sees.

    Args:
        app: Label of the app, for the name of the function.
        tables: The tables.
        rows_stay: Further tables whose rows can't be deleted one by one either.
    """
    function, kept = f"{app}_refuse_emptying", tuple(rows_stay)
    acts = {**dict.fromkeys(tables, "TRUNCATE"), **dict.fromkeys(kept, "DELETE OR TRUNCATE")}
    return Guards(
        functions={function: _REFUSE_EMPTYING},
        tables={f"{table}_whole": table for table in acts},
        triggers=[
            f"CREATE OR REPLACE TRIGGER {table}_whole BEFORE {act} ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
            for table, act in acts.items()
        ],
    )


TRAIL = Guards(
    functions={"accord_audit_refuse": _REFUSE, "accord_audit_continue": _CONTINUE},
    tables={
        "accord_auditevent_refuse": "accord_auditevent",
        "accord_auditevent_continue": "accord_auditevent",
        "accord_auditcheckpoint_refuse": "accord_auditcheckpoint",
    },
    triggers=[
        *(
            f"CREATE TRIGGER {table}_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION accord_audit_refuse()"
            for table in ("accord_auditevent", "accord_auditcheckpoint")
        ),
        """CREATE TRIGGER accord_auditevent_continue BEFORE INSERT ON accord_auditevent
    FOR EACH ROW EXECUTE FUNCTION accord_audit_continue()""",
    ],
)
TOMBSTONES = against_emptying("accord", (), rows_stay=("accord_tombstone",))
MARKS = Guards(
    functions={
        "accord_guard_mark": trigger_texts.MARK,
        "accord_guard_seal": trigger_texts.SEAL,
        "accord_keep_mark": _REFUSE_EMPTYING,
    },
    tables={
        "accord_trailmark_guard": "accord_trailmark",
        "accord_trailmark_whole": "accord_trailmark",
        "accord_auditseal_guard": "accord_auditseal",
        "accord_auditseal_whole": "accord_auditseal",
    },
    triggers=[
        """CREATE TRIGGER accord_auditseal_guard BEFORE INSERT ON accord_auditseal
    FOR EACH ROW EXECUTE FUNCTION accord_guard_seal()""",
        """CREATE TRIGGER accord_auditseal_whole BEFORE UPDATE OR DELETE OR TRUNCATE ON accord_auditseal
    FOR EACH STATEMENT EXECUTE FUNCTION accord_keep_mark()""",
        """CREATE TRIGGER accord_trailmark_guard BEFORE INSERT OR UPDATE ON accord_trailmark
    FOR EACH ROW EXECUTE FUNCTION accord_guard_mark()""",
        """CREATE TRIGGER accord_trailmark_whole BEFORE DELETE OR TRUNCATE ON accord_trailmark
    FOR EACH STATEMENT EXECUTE FUNCTION accord_keep_mark()""",
    ],
)
STONES_STAY = Guards(
    functions={"accord_guard_tombstone": trigger_texts.TOMBSTONE},
    tables={"accord_tombstone_guard": "accord_tombstone"},
    triggers=[
        """CREATE TRIGGER accord_tombstone_guard BEFORE UPDATE ON accord_tombstone
    FOR EACH ROW EXECUTE FUNCTION accord_guard_tombstone()""",
    ],
)
REFERENCES = Guards(
    functions={"accord_first_sight": _FIRST_SIGHT},
    tables={"accord_actorreference_first_sight": "accord_actorreference"},
    triggers=[
        """CREATE TRIGGER accord_actorreference_first_sight BEFORE INSERT OR UPDATE ON accord_actorreference
    FOR EACH ROW EXECUTE FUNCTION accord_first_sight()"""
    ],
) + against_emptying("accord_reference", ("accord_actorreference",))
EVIDENCE = TRAIL + TOMBSTONES + REFERENCES + MARKS + STONES_STAY
INSTALL = TRAIL.install
REMOVE = TRAIL.remove


class OnPostgres(RunSQL):
    """Statements for PostgreSQL; the other databases of a project have no such tables."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class RemoveWords(RemoveConstraint):
    """
    The end of a list of words, which a longer one replaces.

    Where it comes back it is not asked of rows that are there: they may hold words of the longer list.
    """

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            found = to_state.models[app_label, self.model_name_lower].get_constraint_by_name(self.name)
            schema_editor.execute(f"{found.create_sql(model, schema_editor)} NOT VALID", params=None)


def declared() -> Mapping[str, Guards]:
    """
    Return the guards of every installed app that has some, by its label.

    An app names them, by their dotted path, in the attribute `guards` of its configuration.
    """
    paths = {config.label: getattr(config, "guards", "") for config in apps.get_app_configs()}
    return {label: import_string(path) for label, path in paths.items() if path}


def missing(connection: BaseDatabaseWrapper) -> Sequence[str]:
    """
    Return the triggers and constraints that should protect evidence and don't, those of every app.

    An app without its tables, because it was never migrated or was taken out, has nothing to protect.

    Args:
        connection: To the PostgreSQL database that holds the audit trail.

    Returns:
        Names, sorted. A trigger counts as missing, too, when it is disabled or calls another text.
    """
    there = [wanted for wanted in declared().values() if not wanted.absent_tables(connection)]
    return sorted(
        {*EVIDENCE.gone(connection), *(name for wanted in there for name in wanted.gone(connection))}
    )
