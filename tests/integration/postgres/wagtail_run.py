"""
Do to a database what a test says, in a process with Wagtail's settings.

    python -m tests.integration.postgres.wagtail_run store|store-in-parts|django|store-back|django-back|probe
"""

from __future__ import annotations

import json
import sys


def main(how: str) -> None:
    """Do it, and print what came of it."""
    import django

    django.setup()
    answer = {
        "store": by_store,
        "store-in-parts": in_parts,
        "django": by_django,
        "store-back": store_back,
        "django-back": django_back,
    }
    found = probe() if how == "probe" else answer[how]()
    sys.stdout.write(json.dumps({"found": found}))


def by_store() -> int:
    from migrator.relational.store import RelationalStore
    from tests.integration.postgres.driving import migrate

    return len(migrate(RelationalStore("default", {})))


def in_parts() -> int:
    from accord.seam.rewriting import Extent, Rewriting
    from migrator.relational.store import RelationalStore
    from tests.integration.postgres.driving import migrate

    store = RelationalStore("default", {})
    store.settle(Rewriting(extent=Extent.EVERY))
    return len(migrate(store))


def by_django() -> int:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return 0


APPS = (
    "wagtailusers",
    "wagtailsearchpromotions",
    "wagtailsearch",
    "wagtailredirects",
    "wagtailforms",
    "wagtailembeds",
    "sessions",
)
"""Apps that Django itself takes back to zero; the other ways back end in an error of Wagtail's own code."""


def store_back() -> int:
    from migrator.relational.store import RelationalStore
    from tests.integration.postgres.driving import in_order, unmigrate

    store = RelationalStore("default", {})
    steps = [step for step in in_order(store.steps()) if step.key.app in APPS]
    unmigrate(store, steps)
    return len(steps)


def django_back() -> int:
    from django.core.management import call_command

    for app in APPS:
        call_command("migrate", app, "zero", verbosity=0)
    return 0


def probe() -> dict[str, list[str]]:
    from accord.seam.types import Presence
    from migrator.relational.store import RelationalStore
    from tests.integration.postgres.driving import in_order

    store = RelationalStore("default", {})
    probes = list(store.probe(in_order(store.steps())))
    wrong = {
        str(found.key): [one.text for one in found.findings]
        for found in probes
        if found.presence not in (Presence.DONE, Presence.UNKNOWN)
    }
    return wrong or {"done": [str(found.key) for found in probes if found.presence is Presence.DONE]}


if __name__ == "__main__":
    main(*sys.argv[1:])
