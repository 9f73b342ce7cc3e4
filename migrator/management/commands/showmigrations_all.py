"""Show the steps of every store, and which of them are applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accord import conf
from accord.cli.arguments import add_format
from accord.command import AnsweringCommand
from accord.errors import ExitCode, UnknownStore
from accord.seam.registry import opened
from accord.seam.types import Step
from migrator.cli import render_json, render_text
from migrator.cli.options import add_store, aliases
from migrator.engine.api import Migrations
from migrator.engine.situation import Situation
from migrator.engine.tags import all_tags
from migrator.errors import UnknownApp


class Command(AnsweringCommand):
    """`manage.py showmigrations_all`."""

    help = "Shows the migrations of every store, and which of them are applied."
    examples: ClassVar[Mapping[str, str]] = {
        "": "every step, store by store",
        "--store mongodb": "one store",
        "--format json": "for a program",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        parser.add_argument("app_label", nargs="*", help="Only these apps.")
        shape = parser.add_mutually_exclusive_group()
        shape.add_argument(
            "--list",
            "-l",
            action="store_const",
            dest="shape",
            const="list",
            help="By store and app (default).",
        )
        shape.add_argument(
            "--tree",
            "-t",
            action="store_const",
            dest="shape",
            const="tree",
            help="In order, with what each needs.",
        )
        shape.add_argument(
            "--tags", action="store_const", dest="shape", const="tags", help="The tags, newest first."
        )
        parser.set_defaults(shape="list")
        add_store(parser)
        add_format(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Write the list."""
        if options["shape"] == "tags":
            return self._tags(options)
        with opened() as stores:
            situation = Migrations(stores).situation()
        steps = _chosen(situation, aliases(options["store"]), options["app_label"])
        if options["format"] == "json":
            self.stdout.write(render_json.dump(render_json.listing_document(situation, steps)))
            return ExitCode.DONE
        lines = render_text.tree_lines if options["shape"] == "tree" else render_text.list_lines
        if options["shape"] == "list":
            ranks = situation.graph.ranks
            steps.sort(key=lambda step: (ranks.get(step.key.store, 0), step.key.app, step.key.name))
        for line in lines(situation, steps, self.style):
            self.stdout.write(line)
        for line in render_text.begun_lines(situation, self.style):
            self.stdout.write(line)
        for line in render_text.drift_lines(situation, self.style):
            self.stdout.write(line)
        return ExitCode.DONE

    def _tags(self, options: dict[str, Any]) -> ExitCode:
        found = all_tags(conf.load().coordinator)
        if options["format"] == "json":
            self.stdout.write(render_json.dump(render_json.tags_document(found)))
            return ExitCode.DONE
        for tag in found:
            self.stdout.write(
                f"{tag.name}  {tag.made_at:%Y-%m-%d %H:%M:%S}  {len(tag.steps)} steps  {tag.run_id}"
            )
        if not found:
            self.stdout.write("No tags. migrate_all --tag NAME makes one.")
        return ExitCode.DONE


def _chosen(situation: Situation, stores: Sequence[str], apps: Sequence[str]) -> list[Step]:
    """
    Choose steps, in the order of a plan.

    Raises:
        UnknownStore: A store has no steps.
        UnknownApp: An app has none.
    """
    everything = [situation.graph.steps[key] for key in situation.graph.order()]
    for store in stores:
        if store not in situation.graph.ranks:
            known = ", ".join(situation.graph.ranks)
            raise UnknownStore(f"There is no store “{store}”.", hint=f"Stores: {known}.")
    known_apps = {step.key.app for step in everything}
    for app in apps:
        if app not in known_apps:
            raise UnknownApp(f"No app “{app}” has steps.", hint=f"Apps: {', '.join(sorted(known_apps))}.")
    return [
        step
        for step in everything
        if (not stores or step.key.store in stores) and (not apps or step.key.app in apps)
    ]
