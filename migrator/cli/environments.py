"""`accord_environment`: its flags, its question, and its answer."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from accord import conf
from accord.cli.answer import Answer
from accord.cli.arguments import add_format, add_noinput
from accord.cli.printable import say_aside
from accord.cli.questions import require_yes
from accord.clock import SystemClock
from accord.errors import ExitCode
from accord.identity import Identity
from accord.seam.registry import opened
from accord.words import counted
from migrator.cli.acting import acting
from migrator.cli.options import add_store
from migrator.engine.environments import Environments, Told
from migrator.errors import WrongEnvironment
from migrator.governance import people
from migrator.governance.work import IdentityWork


def add_environment_arguments(parser: ArgumentParser) -> None:
    """Declare the acts and their options."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    show = acts.add_parser("show", help="Tell which environment each store belongs to; exit 5 if another.")
    change = acts.add_parser(
        "change", help="Let stores belong to the environment that the settings describe, such as a copy."
    )
    for act in (show, change):
        add_store(act)
        add_format(act)
    add_noinput(change)
    change.add_argument("--reason", required=True, metavar="TEXT", help="Why, in a sentence.")
    change.add_argument(
        "--env", default="", metavar="NAME", help="Refuse unless the settings are those of NAME."
    )
    change.add_argument(
        "--as",
        dest="person",
        default="",
        metavar="USERNAME",
        help="The account that acts (default: that of the user who is signed in, if any).",
    )


def carry_out(options: Mapping[str, Any]) -> Answer:
    """
    Show where the stores belong, or let them belong elsewhere.

    Raises:
        PlanNotApproved: A second person has to approve.
        NotConfirmed: Nobody said yes.
        StoreError: A store can't be reached, or refuses.
    """
    with opened() as stores:
        environments = Environments(stores, conf.load(), SystemClock())
        if options["act"] == "show":
            return _shown(environments.look(options["store"]), {})
        return _changed(environments, options)


def _changed(environments: Environments, options: Mapping[str, Any]) -> Answer:
    own = conf.load().environment
    if options["env"] not in ("", own):
        raise WrongEnvironment(
            f"The call is for “{options['env']}”, and the settings describe “{own}”.",
            hint="Set ACCORD_ENV and the URLs of that environment, or drop --env.",
        )
    people.require_reason(options["reason"])
    work = environments.work(options["store"])
    if not work.stores:
        return _shown(environments.look(options["store"]), {})
    environments.refuse(work)
    if options["interactive"]:
        _ask(work)
    changed = environments.change(options["store"], acting(options))
    return _shown(environments.look(options["store"]), changed)


def _ask(work: IdentityWork) -> None:
    lines = [f"  {alias}: “{own.environment}” becomes “{work.environment}”" for alias, own in work.stores]
    say_aside("\n".join([*lines, ""]))
    require_yes(f"Do these belong to “{work.environment}” from now on?")


def _shown(found: Sequence[Told], changed: Mapping[str, Identity]) -> Answer:
    own = conf.load().environment
    stores = [{**_store(told, own), "changed": told.store in changed} for told in found]
    strange = any(one["state"] == "foreign" for one in stores)
    return Answer(
        document={"schema": "accord.environment/1", "environment": own, "stores": stores},
        lines=_lines(stores, own, len(changed)),
        code=ExitCode.AWAITING_APPROVAL if strange else ExitCode.DONE,
    )


def _store(told: Told, environment: str) -> dict[str, Any]:
    """Describe a store; a state for programs beside what it says."""
    if told.identity is None:
        state = "unmarked" if told.keeps else "silent"
        return {"store": told.store, "state": state, "environment": None, "id": None}
    state = "own" if told.identity.environment == environment else "foreign"
    return {
        "store": told.store,
        "state": state,
        "environment": told.identity.environment,
        "id": told.identity.store_id,
    }


_SAYS = {
    "unmarked": "not marked yet: the next run of migrate_all marks it",
    "silent": "keeps no mark: a mirror, or an adapter that can't",
}


def _lines(stores: Sequence[Mapping[str, Any]], own: str, changed: int) -> Iterator[str]:
    yield f"The settings describe “{own}”."
    width = max((len(one["store"]) for one in stores), default=0)
    for one in stores:
        says = _SAYS.get(one["state"]) or f"belongs to “{one['environment']}”, id {one['id']}"
        yield f"  {one['store']:{width}}  {says}"
    if changed:
        yield f"{counted(changed, 'store')} changed; each has a new id, and the audit trail has the old one."
    if any(one["state"] == "foreign" for one in stores):
        yield "Runs and erasures are refused (ACC-935). If the stores are right, and a copy, for one:"
        yield "  accord_environment change --reason TEXT"
