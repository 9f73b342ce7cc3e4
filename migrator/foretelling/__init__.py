"""
Foretelling what PostgreSQL would say to statements that are not sent yet.

Statements are read (`ddl`), turned into questions (`questions`) and asked on the live database, read-only
and for a bounded time (`looks`). Django's migrations and Alembic's revisions come here alike, as the SQL
that they would send. Nothing else of the suite may enter but the kernel.
"""
