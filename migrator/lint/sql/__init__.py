"""SQL that persons wrote, read by PostgreSQL's own parser: the extra `lint`. Without it nothing is read."""

EXTRA = ("lint", ("pglast",))
