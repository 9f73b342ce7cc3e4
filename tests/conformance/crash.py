"""
A process that does one step of a harness, to be killed by the conformance suite.

    python -m tests.conformance.crash HARNESS JSON apply|revert STEP
"""

from __future__ import annotations

import json
import sys
from importlib import import_module

import django

from accord.testing import make_lease

HARNESSES = {
    "mongodb": "tests.conformance.harness_mongo.MongoHarness",
    "search": "tests.conformance.harness_search.SearchHarness",
    "relational": "tests.conformance.harness_relational.RelationalHarness",
    "documents": "tests.conformance.harness_relational.DocumentsHarness",
    "alembic": "tests.conformance.harness_alembic.AlembicHarness",
}


def main(name: str, namespace: str, action: str, step_name: str) -> None:
    """Do what the arguments say, with a fencing token that every later process may use too."""
    django.setup()
    module, _, class_name = HARNESSES[name].rpartition(".")
    harness = getattr(import_module(module), class_name).from_json(json.loads(namespace))
    store = harness.store()
    act = store.apply if action == "apply" else store.revert
    act(harness.step(step_name), make_lease(5, run_id="crash"))


if __name__ == "__main__":
    main(*sys.argv[1:])
