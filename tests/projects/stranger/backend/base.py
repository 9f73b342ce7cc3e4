"""A backend of the project's own, as packages for metrics, tenants and pools have one."""

from __future__ import annotations

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL's, and nothing else."""
