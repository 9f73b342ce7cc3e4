"""`manage.py runserver`: Django's own, which tells of the pending steps of every store."""

from __future__ import annotations

from django.contrib.staticfiles.management.commands import runserver

from accord.errors import AccordError
from accord.seam.registry import opened
from accord.words import counted
from migrator.engine.api import Migrations
from migrator.engine.request import Request


class Command(runserver.Command):
    """
    Serve for development.

    Django looks at the database `default` alone, and misses there what a router keeps in another
    one; nor does its advice, `migrate`, reach the other stores.
    """

    def check_migrations(self) -> None:
        """Report what is pending; a store that is unavailable does not keep the server from starting."""
        with opened() as stores:
            migrations = Migrations(stores)
            try:
                pending = len(migrations.plan(Request(), migrations.situation()))
            except AccordError as exc:
                self.stdout.write(self.style.NOTICE(f"\n{exc}\n{exc.hint}"))
                return
        if pending:
            told = f"{counted(pending, 'step')} pending in the stores: run 'python manage.py migrate_all'."
            self.stdout.write(self.style.NOTICE(f"\n{told}"))
