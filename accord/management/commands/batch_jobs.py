"""`manage.py batch_jobs`: list, run and steer jobs in batches."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any, ClassVar

from accord.cli.batches import BatchOptions, add_batch_arguments, carry_out, telling
from accord.command import AnsweringCommand
from accord.errors import ExitCode
from accord.stopping import stop_on_signal


class Command(AnsweringCommand):
    """List, run and steer jobs in batches."""

    help = (
        "Shows the jobs that are done in batches, goes on with one, pauses, resumes or stops it. Whatever "
        "ends a worker, a job goes on where it stands."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "list": "every job, how it stands and how far it is",
        "show NAME": "one of them, with what went wrong",
        "run NAME": "go on with it here until it is done",
        "run NAME --jobs 4": "the same in four processes",
        "run NAME --jobs 8 --workers celery --background": "hand it to eight Celery workers",
        "tend": "for cron: ask workers anew where messages were lost",
        "pause NAME": "let every worker end after its batch",
        "resume NAME": "let it go on where it stands",
        "stop NAME": "end it; run or resume takes it up again",
    }

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        add_batch_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Do what is asked for."""
        asked = BatchOptions.read(options)
        with stop_on_signal() as stop:
            found = carry_out(asked, telling(self.stderr.write), stop)
        return self.say(found, as_json=asked.as_json)
