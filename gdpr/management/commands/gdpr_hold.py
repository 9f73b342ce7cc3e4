"""Legal holds: place one, see them, release one."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from accord.command import AnsweringCommand
from accord.errors import ExitCode, UsageError
from gdpr.datamap import load_data_map
from gdpr.errors import UnknownRequest
from gdpr.management import answers
from gdpr.management.people import acting
from gdpr.models import LegalHold
from gdpr.services import holds, sealing
from gdpr.states import HoldReason


class Command(AnsweringCommand):
    """`manage.py gdpr_hold`."""

    help = (
        "Places a legal hold on a person's data, lists the holds, or releases one. A hold stops an erasure "
        "after the batch that is under way; another person than the one who placed it releases it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        parser.add_argument("verb", choices=("place", "list", "release"), help="What to do.")
        parser.add_argument(
            "what", nargs="?", default="", help="place: a key of the person; release: a hold."
        )
        parser.add_argument("--by", default="", metavar="KEY", help="Which key of the person it is.")
        parser.add_argument(
            "--entry", default="", help="Hold one entry of the data map; everything unless given."
        )
        parser.add_argument("--reason", choices=HoldReason.values, default="", help="Why it is placed.")
        parser.add_argument("--as", default="", dest="as_user", metavar="USERNAME", help="Account that acts.")
        parser.add_argument(
            "--noinput", "--no-input", action="store_false", dest="interactive", help="Never ask a question."
        )
        parser.add_argument(
            "--format", choices=("text", "json"), default="text", help="How to answer (default: text)."
        )

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Do it, and show the holds that it is about."""
        if options["verb"] == "list":
            return self._show(list(LegalHold.objects.filter(released_at__isnull=True)), options)
        if not options["what"]:
            raise UsageError("Name the person to hold, or the hold to release.", hint="See gdpr_hold --help.")
        act = self._place if options["verb"] == "place" else self._release
        return self._show([act(options)], options)

    def _place(self, options: dict[str, Any]) -> LegalHold:
        if not options["reason"]:
            raise UsageError(
                "A hold needs a reason.", hint=f"--reason, one of: {', '.join(HoldReason.values)}"
            )
        the_map = load_data_map()
        if options["entry"]:
            the_map.entry(options["entry"])
        keys = the_map.resolve(options["what"], options["by"])
        return holds.place_hold(
            keys.kind,
            sealing.tag_of(keys),
            HoldReason(options["reason"]),
            by=acting(options["as_user"], interactive=options["interactive"]),
            entry=options["entry"],
        )

    def _release(self, options: dict[str, Any]) -> LegalHold:
        found = list(LegalHold.objects.filter(reference__startswith=options["what"].lower())[:2])
        if len(found) != 1:
            raise UnknownRequest(
                "No hold, or more than one, has a reference that begins so.", hint="See gdpr_hold list."
            )
        return holds.release_hold(found[0], by=acting(options["as_user"], interactive=options["interactive"]))

    def _show(self, found: list[LegalHold], options: dict[str, Any]) -> ExitCode:
        if options["format"] == "json":
            document = {"schema": "accord.holds/1", "holds": [_document(hold) for hold in found]}
            self.stdout.write(json.dumps(document, indent=2))
            return ExitCode.DONE
        rows = [tuple(str(value or "") for value in _document(hold).values()) for hold in found]
        heading = ("hold", "entry", "reason", "placed", "review", "released")
        self.stdout.write(answers.joined(answers.table(heading, rows)) if rows else "There are no holds.")
        return ExitCode.DONE


def _document(hold: LegalHold) -> dict[str, Any]:
    moments = (hold.placed_at, hold.review_at, hold.released_at)
    placed, review, released = [
        moment and moment.astimezone(timezone.get_default_timezone()).isoformat(timespec="seconds")
        for moment in moments
    ]
    return {
        "hold": hold.reference,
        "entry": hold.entry,
        "reason": hold.reason,
        "placed_at": placed,
        "review_at": review,
        "released_at": released,
    }
