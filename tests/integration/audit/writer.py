"""
A process that writes audit events: `writer.py OPTIONS COUNT` or `writer.py OPTIONS pause`.

With `pause` it records one event, says so, and waits before it commits. Without an end
(`COUNT` 0) it writes until it is killed.
"""

from __future__ import annotations

import itertools
import json
import sys

import django
import environ
from django.conf import settings
from django.db import transaction

options = json.loads(sys.argv[1])
settings.configure(
    INSTALLED_APPS=["accord"],
    DATABASES={"default": environ.Env.db_url_config(options["url"])},
    SECRET_KEY=options["secret"],
    ACCORD={"AUDIT_CHECKPOINTS": options["file"]},
    USE_TZ=True,
)
django.setup()

from accord.audit import trail  # noqa: E402 - Django is set up above
from accord.audit.events import EventKind, ObjectKind  # noqa: E402 - as above


def write() -> None:
    """Record one event, about a person who has a reference."""
    actor = trail.person(7)
    trail.record(EventKind.RUN_STARTED, actor=actor, object_kind=ObjectKind.RUN, counters={"steps": 2})


if sys.argv[2] == "pause":
    with transaction.atomic():
        write()
        sys.stdout.write("recorded\n")
        sys.stdout.flush()
        sys.stdin.readline()
else:
    limit = int(sys.argv[2])
    for number in itertools.count(1):
        with transaction.atomic():
            write()
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        if number == limit:
            break
