"""
Questions to PostgreSQL's catalog whose answers describe its schema.

They go through psycopg, psycopg2 and SQLAlchemy alike, so they have neither `%` nor values, and no colon
before a word. Nothing is sorted here: a database's collation would decide.
"""

from __future__ import annotations

from migrator.standing import FOREIGN, HERE

_NAME = "CAST(CAST(c.oid AS regclass) AS text)"
_WITHOUT_PARTITIONS = "NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)"
# Each is made when a run first needs it, and by no migration.
_BOOKS = (
    "c.relname !~ '^(accord_(ledger|fence|mark|lease|object|backfill|import)(_alembic)?|django_migrations"
    "|accord_before_[0-9a-f]{16}|alembic_version)$'"
)
# So do the values of before that a backfill keeps for a time, with what lets them go.
_LASTS = "{name} !~ '^accord_before_[0-9a-f]'"
_OURS = f"{HERE} AND {FOREIGN} AND {_WITHOUT_PARTITIONS} AND {_BOOKS}"
_SCHEMAS = "(SELECT oid FROM pg_namespace WHERE nspname = ANY(current_schemas(false)))"


def _of_no_extension(catalog: str, thing: str) -> str:
    return (
        f"NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = CAST('{catalog}' AS regclass) "
        f"AND d.objid = {thing}.oid AND d.deptype = 'e')"
    )


PLACE = """
SELECT concat_ws('/', extract(epoch from pg_postmaster_start_time()), current_database(),
                 array_to_string(current_schemas(false), ','))"""
"""Which server, database and search path."""

TABLES = f"""
SELECT {_NAME}, CAST(c.relkind AS text), c.relpersistence = 'u', pg_get_partkeydef(c.oid),
       array_to_string(c.reloptions, ', '), c.relrowsecurity, c.relforcerowsecurity
FROM pg_class c WHERE c.relkind IN ('r', 'p', 'f') AND {_OURS}"""  # noqa: S608 - made of constants
"""Tables; not partitions, which come and go with time."""

COLUMNS = f"""
SELECT {_NAME}, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
       CASE WHEN a.attcollation <> t.typcollation
            THEN (SELECT quote_ident(k.collname) FROM pg_collation k WHERE k.oid = a.attcollation) END,
       a.attnotnull, CAST(a.attidentity AS text), CAST(a.attgenerated AS text),
       pg_get_expr(d.adbin, d.adrelid)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped AND {_OURS}"""  # noqa: S608 - as above

CONSTRAINTS = f"""
SELECT {_NAME}, quote_ident(k.conname), pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.contype IN ('p', 'u', 'f', 'c', 'x') AND k.conparentid = 0 AND {_OURS}"""  # noqa: S608 - as above
"""Constraints of tables; not those that PostgreSQL adds for each partition."""

INDEXES = f"""
SELECT {_NAME}, pg_get_indexdef(i.indexrelid, 0, true), i.indisvalid AND i.indisready
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
WHERE {_OURS} AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid
                              AND k.contype IN ('p', 'u', 'x'))"""  # noqa: S608 - as above
"""Indexes of tables and of materialised views; not those that a constraint makes."""

TRIGGERS = f"""
SELECT {_NAME}, quote_ident(g.tgname), pg_get_triggerdef(g.oid, true), CAST(g.tgenabled AS text)
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid WHERE NOT g.tgisinternal AND {_OURS}
AND {_LASTS.format(name="g.tgname")}"""  # noqa: S608 - as above

POLICIES = f"""
SELECT {_NAME}, quote_ident(p.polname), p.polpermissive, CAST(p.polcmd AS text),
       ARRAY(SELECT CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END
             FROM unnest(p.polroles) AS r),
       pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE {_OURS}"""  # noqa: S608 - as above
"""Who sees and writes which rows. The roles are part of the rule, as its migration names them."""

COMMENTS = f"""
SELECT {_NAME}, CASE WHEN c.relkind = 'v' THEN 'VIEW' WHEN c.relkind = 'm' THEN 'MATERIALIZED VIEW'
                     WHEN c.relkind = 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
       quote_ident(a.attname), quote_literal(s.description)
FROM pg_description s JOIN pg_class c ON c.oid = s.objoid
LEFT JOIN pg_attribute a ON a.attrelid = s.objoid AND a.attnum = s.objsubid AND s.objsubid > 0
WHERE s.classoid = CAST('pg_class' AS regclass) AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND {_OURS}"""  # noqa: S608 - as above
"""What models say of their tables and columns by `db_table_comment` and `db_comment`."""

VIEWS = f"""
SELECT {_NAME}, c.relkind = 'm', pg_get_viewdef(c.oid, true), array_to_string(c.reloptions, ', ')
FROM pg_class c WHERE c.relkind IN ('v', 'm') AND {_OURS}"""  # noqa: S608 - as above

SEQUENCES = f"""
SELECT {_NAME}, format_type(s.seqtypid, NULL), s.seqincrement
FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid
WHERE {_OURS} AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = CAST('pg_class' AS regclass)
                              AND d.objid = c.oid AND d.deptype IN ('a', 'i'))"""  # noqa: S608 - as above
"""Sequences that belong to no column."""

ENUMS = f"""
SELECT format_type(t.oid, NULL), string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
WHERE t.typnamespace IN {_SCHEMAS} AND {_of_no_extension("pg_type", "t")} GROUP BY t.oid"""  # noqa: S608 - as above

DOMAINS = f"""
SELECT format_type(t.oid, NULL), format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault,
       ARRAY(SELECT concat('CONSTRAINT ', quote_ident(k.conname), ' ', pg_get_constraintdef(k.oid))
             FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c')
FROM pg_type t
WHERE t.typtype = 'd' AND t.typnamespace IN {_SCHEMAS} AND {_of_no_extension("pg_type", "t")}"""  # noqa: S608 - as above

FUNCTIONS = f"""
SELECT pg_get_functiondef(p.oid),
       CASE WHEN pg_function_is_visible(p.oid) THEN concat(quote_ident(n.nspname), '.') ELSE '' END
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prokind IN ('f', 'p') AND p.pronamespace IN {_SCHEMAS} AND {_of_no_extension("pg_proc", "p")}
AND {_LASTS.format(name="p.proname")}"""  # noqa: S608 - as above
"""Functions and procedures with their bodies: what a trigger does stands there."""
