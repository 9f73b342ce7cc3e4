"""
Commands for one kind of store (`migrate_mongo`, `migrate_search`): migrate_all, narrowed.

They find migrate_all by its name, because the engine stands above the stores.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accord import conf
from accord.command import PipedCommand
from accord.errors import ExitCode


class NarrowedCommand(PipedCommand):
    """
    `migrate_all --store ALIAS` for every store of one package.

    Attributes:
        backend_package: Package that implements the stores.
    """

    backend_package: ClassVar[str]
    requires_system_checks = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._migrate_all = _migrate_all()

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags of migrate_all."""
        self._migrate_all.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run migrate_all for the stores of this kind."""
        if not options["store"] and not options["rebuild"]:
            options["store"] = self._aliases()
        self._migrate_all.stdout, self._migrate_all.stderr = self.stdout, self.stderr
        self._migrate_all.style = self.style
        self._migrate_all.handle(*args, **options)

    def _aliases(self) -> list[str]:
        prefix = f"{self.backend_package}."
        stores = conf.load().store_settings().values()
        aliases = [store.alias for store in stores if store.backend.startswith(prefix)]
        if not aliases:
            raise CommandError(
                f"ACCORD['STORES'] holds no store of {self.backend_package}.", returncode=ExitCode.USAGE
            )
        return aliases


def _migrate_all() -> BaseCommand:
    app = get_commands().get("migrate_all")
    if app is None:
        raise CommandError("This command needs “migrator” in INSTALLED_APPS.", returncode=ExitCode.USAGE)
    return app if isinstance(app, BaseCommand) else load_command_class(app, "migrate_all")
