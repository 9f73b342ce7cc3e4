"""
Names of new revisions by number, for an `env.py` that Alembic runs: `0004_pay_labels`.

Alembic asks `env.py` before it writes a file where the ini says `revision_environment = true`. A name that
`--rev-id` gives stays.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext

_NUMBERED = re.compile(r"(\d{1,6})(?:_|$)")
_WORDS = re.compile(r"[a-z0-9]+")
LONGEST = 32
"""Characters that Alembic's table has for the name of a revision."""


def numbered(context: MigrationContext, _revision: object, directives: list[Any]) -> None:
    """
    Name the revision that is about to be written, as `process_revision_directives` of `context.configure()`.

    Args:
        context: Alembic's, of the command.
        _revision: Where the database stands.
        directives: What will be written.
    """
    asked = context.opts["revision_context"].command_args
    for script in directives if not asked["rev_id"] else ():
        names = (one.revision for one in context.script.walk_revisions()) if context.script else ()
        script.rev_id = next_name(names, script.message or "")


def next_name(names: Iterable[str], message: str) -> str:
    """
    Return the name of a revision that comes after others.

    Args:
        names: Theirs; those without a number are counted.
        message: What it does.
    """
    known = list(names)
    numbers = [int(found[1]) for name in known if (found := _NUMBERED.match(name))]
    name = f"{max(numbers, default=len(known)) + 1:04}"
    plain = unicodedata.normalize("NFKD", message.lower()).encode("ascii", "ignore").decode()
    for word in _WORDS.findall(plain):
        if len(name) + 1 + len(word) > LONGEST:
            break
        name = f"{name}_{word}"
    return name


def is_file_alone(config: Config) -> bool:
    """Return whether a command writes an empty revision, for which no database has to be asked."""
    return getattr(config.cmd_opts, "autogenerate", None) is False
