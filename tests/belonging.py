"""Stores whose environment a test decides: what a project marks on its first run is written over."""

from __future__ import annotations

SAY_SO = """
import time
from accord import conf
from accord.identity import MARK, Identity, identity_of
from accord.seam.registry import opened
from accord.testing import make_lease
with opened() as stores:
    for store in stores.values():
        own, new = identity_of(store), Identity.new(conf.load().environment)
        lease = make_lease(int(time.time() * 1_000_000))
        store.write_mark(MARK, new.text, lease, expected=own and own.text)
"""
"""For `manage.py shell -c`: let every store belong to the environment that the settings describe."""
