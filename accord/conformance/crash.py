"""
A process that does one step of a harness, to be killed by the suite.

    python -m accord.conformance.crash package.module:Harness JSON apply|revert STEP
"""

from __future__ import annotations

import json
import sys
from importlib import import_module

import django

from accord.testing import make_lease

FENCE = 5
"""The token of every such process: one holder, many processes."""


def main(path: str, namespace: str, action: str, step_name: str) -> None:
    """
    Apply or revert the step that the arguments name.

    Args:
        path: Module and class of the harness.
        namespace: What its `to_json` returned, as JSON.
        action: `apply` or `revert`.
        step_name: Name of the step.
    """
    django.setup()
    module, _, class_name = path.partition(":")
    harness = getattr(import_module(module), class_name).from_json(json.loads(namespace))
    store = harness.store()
    act = store.apply if action == "apply" else store.revert
    act(harness.step(step_name), make_lease(FENCE, run_id="crash"))


if __name__ == "__main__":
    main(*sys.argv[1:])
