"""Tags: names for where every store stood after a run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from django.db import connections

from accord import conf
from accord.errors import UnknownTarget, UsageError
from accord.seam.types import StepKey
from migrator.engine.plan import Plan
from migrator.engine.situation import Situation
from migrator.models import Tag


def all_tags(alias: str) -> Sequence[Tag]:
    """Return the tags, newest first; none where their table isn't made yet."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        if Tag._meta.db_table not in connection.introspection.table_names(cursor):
            return ()
    return tuple(Tag.objects.using(alias))


def refuse_taken(alias: str, name: str, plan: Plan, read: Callable[[], Situation]) -> None:
    """
    Check that a tag is free, or was kept by a run that was killed before it could say so.

    Args:
        alias: Where tags are kept.
        name: The tag.
        plan: What the run would do; a tag that stands for the same is no other one only if that is nothing.
        read: Reads files and ledgers of every store.

    Raises:
        UsageError: It names another moment already.
    """
    found = next((tag for tag in all_tags(alias) if tag.name == name), None)
    if found is not None and (plan.steps or found.steps != _standing(read())):
        raise _taken(name)


def _taken(name: str) -> UsageError:
    return UsageError(
        f"The tag “{name}” is taken.",
        hint="Choose another name; showmigrations_all --tags lists those that are taken.",
    )


def _standing(situation: Situation) -> list[str]:
    return sorted(map(str, situation.done))


def keep(alias: str, name: str, run_id: str, situation: Situation, at: datetime) -> None:
    """
    Write down where every store stands, as a tag; once, however often it is called.

    Raises:
        UsageError: The tag came to name another moment meanwhile.
    """
    steps = _standing(situation)
    values = {"run_id": run_id, "steps": steps, "made_at": at}
    kept, _ = Tag.objects.using(alias).get_or_create(name=name, defaults=values)
    if kept.steps != steps:
        raise _taken(name)


def applied_after(name: str, situation: Situation) -> Collection[StepKey]:
    """
    Return what stands now and did not at a tag; the suite's own tables stay.

    Raises:
        UnknownTarget: There is no such tag, or a step of it doesn't stand any more.
    """
    tags = all_tags(conf.load().coordinator)
    known = f"Tags: {', '.join(tag.name for tag in tags) or 'none'}."
    found = next((tag for tag in tags if tag.name == name), None)
    if found is None:
        raise UnknownTarget(f"There is no tag “{name}”.", hint=known)
    standing = {str(key) for key in situation.standing}
    if gone := [key for key in found.steps if key not in standing]:
        raise UnknownTarget(
            f"Steps of the tag “{name}” don't stand any more: {', '.join(gone)}.",
            hint=f"Apply them with migrate_all first, or choose another tag. {known}",
        )
    steps, at_tag = situation.graph.steps, frozenset(found.steps)
    return [
        key
        for key in situation.standing
        if str(key) not in at_tag and not (key in steps and steps[key].foundation)
    ]
