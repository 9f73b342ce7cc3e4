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
_POLICY = """
SELECT polcmd::text, polpermissive::text, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid),
    (SELECT string_agg(coalesce(r.rolname, 'public'), ',' ORDER BY r.rolname)
     FROM unnest(polroles) AS named(oid) LEFT JOIN pg_roles r ON r.oid = named.oid)
FROM pg_policy WHERE oid = %(oid)s
"""
# Whoever isn't the owner, on the table or on a column of it.
_GRANTS = """
SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee,
    a.privilege_type, a.is_grantable, own.attname
FROM (
    SELECT c.oid, c.relowner, NULL AS attname, c.relacl AS acl FROM pg_class c
    UNION ALL
    SELECT c.oid, c.relowner, t.attname, t.attacl FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid
) own, aclexplode(own.acl) a WHERE a.grantee <> own.relowner AND own.oid = {oid}
"""
_GRANTED = (
    "SELECT c.oid FROM pg_class c WHERE c.oid = to_regclass(%(name)s)"  # noqa: S608 - our own texts
    " AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND EXISTS (" + _GRANTS.format(oid="c.oid") + ")"
)
_GRANTS_WRITTEN = (
    "SELECT string_agg(found::text, ' ' ORDER BY found::text COLLATE \"C\") FROM ("  # noqa: S608 - as above
    + _GRANTS.format(oid="%(oid)s")
    + ") AS found"
)
_REVOKE = (
    "DO $accord$ DECLARE who text; BEGIN\nFOR who IN SELECT DISTINCT grantee FROM ("  # noqa: S608 - as above
    + _GRANTS.format(oid="to_regclass({literal})")
    + ") AS found LOOP\n    EXECUTE 'REVOKE ALL ON TABLE ' || {literal} || ' FROM ' || who;\n"
    "END LOOP; END $accord$"
)


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
        secures: Whether it says who sees which rows of its table, where that is enforced.
        dropped: Statement that takes it away, with `{identity}`, or `{literal}` for the name as a text.
        adds: Whether its statements add to what stands, so that this has to be taken away before.
    """

    word: str
    catalog: str
    located: str
    rendered: str
    kept: str = ""
    closed: str = ""
    on_table: bool = False
    secures: bool = False
    dropped: str = "DROP {word} {identity}"
    adds: bool = False


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
        Kind(
            word="policy",
            catalog="pg_policy",
            located=_ON_TABLE.format(catalog="pg_policy", own="polname", table="polrelid"),
            rendered=_POLICY,
            on_table=True,
            secures=True,
        ),
        Kind(
            word="grants on",
            catalog="",
            located=_GRANTED,
            rendered=_GRANTS_WRITTEN,
            dropped=_REVOKE,
            adds=True,
        ),
    )
}
