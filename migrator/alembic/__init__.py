"""Alembic histories as stores: the revisions that an `alembic.ini` names are steps like any other."""
