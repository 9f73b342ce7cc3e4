"""Planning and running migrations of every store; the relational stores and Alembic."""
