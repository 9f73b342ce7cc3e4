"""
Alembic histories as a store: its revisions are steps, its version table is the ledger.

What may enter: code that reads or runs a history through Alembic. What may not: the plan, which
knows only steps. It imports the kernel and Alembic.
"""

from __future__ import annotations

EXTRA = ("alembic", ("alembic", "sqlalchemy", "psycopg2"))
"""What of the distribution brings them; see :mod:`accord.extras`."""
