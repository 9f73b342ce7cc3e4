"""What `gdpr_replay` does, and what it answers."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from accord.cli.answer import Answer
from accord.cli.arguments import add_acting, add_format, add_noinput
from accord.errors import ExitCode, StoreUnavailable, UsageError
from accord.proof import Credentials
from gdpr import replaying
from gdpr.cli import answers
from gdpr.erasure import registering
from gdpr.erasure.schedule import Stop
from gdpr.register import restored
from gdpr.replaying import Replayed


@dataclass(frozen=True, kw_only=True)
class ReplayOptions:
    """
    What a call asks for.

    Attributes:
        store: Alias of the one store that was restored; empty for every one.
        dry_run: Tell, and change nothing.
        same_person: The erasure whose person came back by the restore; empty for none.
        another_person: The erasure whose key somebody new has; empty for none.
        new_register: Begin another register, because the former one is lost.
        who: What is said of who says so.
        lock_wait: Seconds to wait for another holder of the lease.
        as_json: Whether the answer is a JSON document.
    """

    store: str
    dry_run: bool
    same_person: str
    another_person: str
    new_register: bool
    who: Credentials
    lock_wait: float
    as_json: bool

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> ReplayOptions:
        """
        Read what the command line gave.

        Raises:
            UsageError: Two things are asked for that don't go together.
        """
        names = ("store", "dry_run", "same_person", "another_person", "new_register", "lock_wait")
        given = {name: options[name] for name in names}
        asked = cls(**given, who=Credentials.read(options), as_json=options["format"] == "json")
        if asked.dry_run and (asked.same_person or asked.another_person or asked.new_register):
            raise UsageError("--dry-run tells, and what a person says is noted.", hint="Give one of the two.")
        return asked


def add_replay_arguments(parser: ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("--store", default="", metavar="ALIAS", help="Only what this store brought back.")
    parser.add_argument(
        "--dry-run", action="store_true", help="Tell whom it would erase again; change nothing."
    )
    told = parser.add_mutually_exclusive_group()
    told.add_argument(
        "--same-person",
        default="",
        metavar="REFERENCE",
        help="The row with the key of this erasure's person is theirs: erase it again.",
    )
    told.add_argument(
        "--another-person",
        default="",
        metavar="REFERENCE",
        help="The row with the key of this erasure's person is somebody new's: leave it alone.",
    )
    told.add_argument(
        "--new-register",
        action="store_true",
        help="The register of erasures is lost for good: begin another. What it knew can't be repeated.",
    )
    add_acting(parser)
    parser.add_argument(
        "--lock-wait",
        type=float,
        default=0,
        metavar="SECONDS",
        help="How long to wait where migrations or another replay run (default: not at all).",
    )
    add_noinput(parser)
    add_format(parser)


def carry_out(asked: ReplayOptions, stop: Stop) -> Answer:
    """
    Do what is asked for.

    Args:
        asked: What.
        stop: Asked between two steps.

    Raises:
        AccordError: It can't be done.
    """
    if asked.new_register:
        return _renewed(registering.begin_anew(by=asked.who.account(deciding=True)))
    if asked.dry_run:
        return _answer(replaying.look(asked.store), dry=True)
    reference = asked.same_person or asked.another_person
    if reference:
        word = restored.SAME if asked.same_person else restored.ANOTHER
        replaying.answer(reference, word, by=asked.who.account(deciding=True))
    return _answer(replaying.replay(store=asked.store, wait=asked.lock_wait, stop=stop), dry=False)


def _renewed(entered: int) -> Answer:
    document = {
        "schema": "accord.erasure.replay/1",
        "exit_code": int(ExitCode.DONE),
        "dry_run": False,
        "stores": [],
        "entered": entered,
    }
    lines = [
        "Another register of erasures begins. What the former one knew can't be repeated after a restore.",
        f"{entered} complete erasures whose keys are there still were entered in it.",
    ]
    return Answer(document=document, lines=lines)


def _answer(found: Sequence[Replayed], *, dry: bool) -> Answer:
    code = ExitCode.DONE if dry else _code(found)
    document = {
        "schema": "accord.erasure.replay/1",
        "exit_code": int(code),
        "dry_run": dry,
        "stores": [asdict(one) for one in found],
    }
    return Answer(document=document, lines=_lines(found, dry=dry), code=code)


def _code(found: Sequence[Replayed]) -> ExitCode:
    if all(one.finished for one in found):
        return ExitCode.DONE
    reasons = {why for one in found for why in one.waiting.values()}
    nothing = not any(one.done for one in found)
    return StoreUnavailable.exit_code if nothing and reasons and reasons <= answers.AWAY else ExitCode.PARTIAL


def _lines(found: Sequence[Replayed], *, dry: bool) -> Iterator[str]:
    if not found:
        yield "No store was restored: nothing is to be replayed."
    for one in found:
        yield from _about(one, dry=dry)
    if any(replaying.ASKED in one.waiting.values() for one in found):
        yield (
            "Somebody has the key of an erased person: look who it is, then gdpr_replay --another-person "
            "REFERENCE, which leaves them alone, or gdpr_replay --same-person REFERENCE, which erases them."
        )


def _about(found: Replayed, *, dry: bool) -> Iterator[str]:
    yield (
        f"The store {found.store} was restored: it knows the register of erasures up to entry {found.since}; "
        f"erasures to be repeated: {found.total}."
    )
    rows = [(one[:8], "erased again") for one in found.done]
    rows += [(one[:8], _said(why, dry=dry)) for one, why in found.waiting.items()]
    if rows:
        yield from answers.table(("erasure", "now"), rows)
    if not (found.finished or found.waiting or dry):
        yield "It is concluded once the coordinating database is: start gdpr_replay again."
    if found.finished:
        yield "Nobody is left whom the restore brought back."


def _said(why: str, *, dry: bool) -> str:
    if why == replaying.ASKED:
        return "is the row somebody new's? A person has to say."
    if why == replaying.DESTROYED:
        return "its keys are destroyed: it can't be repeated."
    return f"waits: {why}" if why else "would be erased again" if dry else "waits"
