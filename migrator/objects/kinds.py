"""What kinds of objects there are, and how PostgreSQL is asked about each. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_RELATION = "SELECT c.oid FROM pg_class c WHERE c.oid = to_regclass(%(name)s) AND c.relkind = '{letter}'"
_ROUTINE = "SELECT p.oid FROM pg_proc p WHERE p.oid = to_regprocedure(%(name)s) AND p.prokind IN ({letters})"
_ON_TABLE = (
    "SELECT o.oid FROM {catalog} o WHERE o.{own} = (parse_ident(%(name)s))[1]"
    " AND o.{table} = to_regclass(%(table)s)"
)
_DEFINITION = "SELECT pg_get_viewdef(c.oid), c.reloptions::text{more} FROM pg_class c WHERE c.oid = %(oid)s"
_INDEXES = (
    ", (SELECT string_agg(pg_get_indexdef(i.indexrelid), E'\\n' ORDER BY i.indexrelid::regclass::text)"
    " FROM pg_index i WHERE i.indrelid = c.oid)"
)
_RELATION_KEPT = """
SELECT format('GRANT %%s ON TABLE %%s TO %%s%%s', a.privilege_type, %(name)s,
    CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_class o, aclexplode(o.relacl) a WHERE o.oid = %(oid)s AND a.grantee <> o.relowner
UNION ALL
SELECT format('ALTER TABLE %%s OWNER TO %%I', %(name)s, pg_get_userbyid(o.relowner))
FROM pg_class o WHERE o.oid = %(oid)s AND pg_get_userbyid(o.relowner) <> current_user
"""
_ROUTINE_KEPT = """
SELECT format('GRANT EXECUTE ON ROUTINE %%s TO %%s%%s', %(name)s,
    CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_proc o, aclexplode(o.proacl) a WHERE o.oid = %(oid)s AND a.grantee <> o.proowner
UNION ALL
SELECT format('ALTER ROUTINE %%s OWNER TO %%I', %(name)s, pg_get_userbyid(o.proowner))
FROM pg_proc o WHERE o.oid = %(oid)s AND pg_get_userbyid(o.proowner) <> current_user
"""
_CLOSED = "SELECT proacl IS NOT NULL AND NOT has_function_privilege('public', oid, 'EXECUTE') FROM pg_proc"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """
    One kind of object.

    Attributes:
        word: Its name in SQL and in a file's first line.
        catalog: The catalog that has a row of it.
        located: Asks for its oid, by name.
        rendered: Asks the server how it writes the object, by oid.
        kept: Asks for statements that give grants and owner back to an object made anew.
        closed: Asks whether `PUBLIC` was kept from it, where the server lets everybody in by default.
        on_table: Whether its name is `NAME on TABLE`.
    """

    word: str
    catalog: str
    located: str
    rendered: str
    kept: str = ""
    closed: str = ""
    on_table: bool = False


KINDS: Mapping[str, Kind] = {
    kind.word: kind
    for kind in (
        Kind(
            word="view",
            catalog="pg_class",
            located=_RELATION.format(letter="v"),
            rendered=_DEFINITION.format(more=""),
            kept=_RELATION_KEPT,
        ),
        Kind(
            word="materialized view",
            catalog="pg_class",
            located=_RELATION.format(letter="m"),
            rendered=_DEFINITION.format(more=_INDEXES),
            kept=_RELATION_KEPT,
        ),
        Kind(
            word="function",
            catalog="pg_proc",
            located=_ROUTINE.format(letters="'f', 'w'"),
            rendered="SELECT pg_get_functiondef(%(oid)s)",
            kept=_ROUTINE_KEPT,
            closed=f"{_CLOSED} WHERE oid = %(oid)s",
        ),
        Kind(
            word="procedure",
            catalog="pg_proc",
            located=_ROUTINE.format(letters="'p'"),
            rendered="SELECT pg_get_functiondef(%(oid)s)",
            kept=_ROUTINE_KEPT,
            closed=f"{_CLOSED} WHERE oid = %(oid)s",
        ),
        Kind(
            word="trigger",
            catalog="pg_trigger",
            located=_ON_TABLE.format(catalog="pg_trigger", own="tgname", table="tgrelid"),
            rendered="SELECT pg_get_triggerdef(oid), tgenabled::text FROM pg_trigger WHERE oid = %(oid)s",
            on_table=True,
        ),
    )
}
