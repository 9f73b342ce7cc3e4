"""Questions to a PostgreSQL database about what stands in it, for every store that keeps its things there."""

from __future__ import annotations

HERE = "c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY(current_schemas(false)))"
"""Whether a relation `c` is in a schema of the search path."""
FOREIGN = """NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = CAST('pg_class' AS regclass)
                          AND d.objid = c.oid AND d.deptype = 'e')"""
"""Whether it is no extension's."""

TABLES = f"""
SELECT c.relname FROM pg_class c
WHERE c.relkind IN ('r', 'p', 'f') AND {HERE} AND {FOREIGN}
AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)
ORDER BY 1"""  # noqa: S608 - made of constants
"""Tables of the search path's schemas; neither those of extensions nor partitions."""

INDEXES = f"""
SELECT c.relname, x.relname
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
WHERE {HERE} AND {FOREIGN} AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
ORDER BY 1, 2"""  # noqa: S608 - as above
"""Tables and their indexes; not those that a constraint makes."""
