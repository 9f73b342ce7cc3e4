"""Errors of MongoDB's migrations."""

from __future__ import annotations

from accord.errors import StoreUnavailable


class ReplicaSetRequired(StoreUnavailable):
    """MongoDB runs alone, and what is asked needs a replica set."""

    code = "ACC-604"
