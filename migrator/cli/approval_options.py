"""The options of `migration_approval`, act by act."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accord.cli.arguments import add_acting, add_format
from accord.errors import UsageError
from accord.proof import Credentials
from migrator.cli.options import add_plan_arguments, request_from
from migrator.engine.request import Request
from migrator.models import DRIFT, ApprovalState

ENVIRONMENT = "environment"

_PLANS = (
    *("revert", "baseline", "fake", "forget", "rebuild", "data_is_lost", "trust_unproved", "store", "phase"),
    *("to", "step", "run", "to_tag"),
)
"""What says which plan."""


@dataclass(frozen=True, kw_only=True)
class ApprovalOptions:
    """
    What a call asks for; what its act doesn't take is empty.

    Attributes:
        act: What to do.
        as_json: Whether the answer is a JSON document.
        verbosity: How much is told of what goes on, as in Django's commands.
        who: What is said of who acts.
        reason: Why.
        reference: The beginning of the request's reference.
        seen: Whether they say that they have seen what goes with the plan, and that it may go.
        state: List only requests in this state.
        output: Where the attestation is written to.
        file: The attestation of another environment.
        wanted: What is to be approved.
        drift: Whether drift is to be accepted, and no plan to be approved.
        environment: Whether stores are to belong to this environment, and no plan to be approved.
        steps: Steps whose drift is to be accepted; all that stops a run, if none is named.
        until: Until when an acceptance counts, as it was typed.
    """

    act: str
    as_json: bool
    verbosity: int
    who: Credentials = field(default_factory=Credentials)
    reason: str = ""
    reference: str = ""
    seen: bool = False
    state: str = ""
    output: Path | None = None
    file: Path = Path()
    wanted: Request = field(default_factory=Request)
    drift: bool = False
    environment: bool = False
    steps: tuple[str, ...] = ()
    until: str = ""

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> ApprovalOptions:
        """
        Read what the command line gave.

        Raises:
            UsageError: Flags of a plan don't fit together.
        """
        given = {
            name: options[name]
            for name in (
                "act",
                "verbosity",
                "reason",
                "reference",
                "seen",
                "state",
                "output",
                "file",
            )
            if name in options
        }
        if "as_user" in options:
            given["who"] = Credentials.read(options)
        if options["act"] == "request":
            given.update(_asked_for(dict(options)))
        return cls(as_json=options["format"] == "json", **given)


def _asked_for(options: dict[str, Any]) -> dict[str, Any]:
    """
    Read what a request is about: a plan, or drift that may stay.

    Raises:
        UsageError: Flags of the one are given with the other.
    """
    named = [options[name] for name in ("app_label", "migration_name") if options[name]]
    if options["kind"] == ENVIRONMENT:
        if given := [*named, *(name for name in _PLANS if options[name] and name != "store")]:
            raise UsageError(
                f"--kind environment and {given[0]} exclude each other.",
                hint="It takes --store, and nothing else of a plan.",
            )
        return {"environment": True, "wanted": request_from(options)}
    if options["kind"] == DRIFT:
        if given := [name for name in _PLANS if options[name]]:
            flag = given[0].replace("_", "-")
            raise UsageError(f"--kind drift and --{flag} exclude each other.", hint="Choose one of them.")
        wanted = Request(environment=options["env"])
        return {
            "drift": True, "steps": (*named, *options["more"]), "until": options["until"], "wanted": wanted,
        }  # fmt: skip
    if options["until"] or options["more"]:
        raise UsageError(
            "--until and a third name go with --kind drift.",
            hint="An approval of a plan counts as long as the policy says (approval_ttl).",
        )
    return {"wanted": request_from(options)}


def add_approval_arguments(parser: ArgumentParser) -> None:
    """Add the acts, with the flags of each."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    request = _act(
        acts,
        "request",
        "Ask for the approval of what migrate_all would do with the same flags; or, with --kind drift, "
        "that the drift of the named steps may stay; or, with --kind environment, that stores which say that "
        "they belong elsewhere may belong here.",
    )
    add_plan_arguments(request)
    _add_drift(request)
    add_acting(request)
    _add_reason(request)
    for act, words in (
        ("approve", "Say yes to"),
        ("reject", "Say no to"),
        ("revoke", "Take back a yes, one's own or all others, to"),
    ):
        decision = _act(acts, act, f"{words} another person's request.")
        _add_reference(decision)
        add_acting(decision)
        _add_reason(decision)
        if act == "approve":
            decision.add_argument(
                "--seen",
                action="store_true",
                help="Say that you have seen what goes with a plan that undoes steps, and that it may go.",
            )
    review = _act(acts, "review", "Say that you have looked at what another person ran without approval.")
    _add_reference(review)
    add_acting(review)
    _add_reason(review)
    listing = _act(acts, "list", "List the requests of this environment, newest first.")
    listing.add_argument(
        "--state", choices=ApprovalState.values, default="", help="Only those in this state."
    )
    _add_reference(_act(acts, "show", "Show a request with its steps."))
    attest = _act(acts, "attest", "Sign what the ledgers say was applied here.")
    attest.add_argument("--output", type=Path, default=None, metavar="FILE", help="Write it there.")
    add_acting(attest)
    _act(acts, "key", "Print the public key that others have to trust, and nothing else. Asks no server.")
    bring = _act(acts, "import", "Check and keep an attestation of another environment.")
    bring.add_argument("file", type=Path, metavar="FILE", help="What attest wrote there.")
    add_acting(bring)


def _add_drift(parser: ArgumentParser) -> None:
    parser.add_argument("more", nargs="*", metavar="STEP", help="With --kind drift: further steps.")
    parser.add_argument(
        "--kind",
        choices=["plan", DRIFT, ENVIRONMENT],
        default="plan",
        help="What is asked for; a plan by default.",
    )
    parser.add_argument(
        "--until",
        default="",
        metavar="WHEN",
        help="With --kind drift: until which day or time (default: until ledger or file changes).",
    )


def _act(acts: Any, name: str, words: str) -> ArgumentParser:
    parser: ArgumentParser = acts.add_parser(name, help=words, description=words)
    add_format(parser)
    return parser


def _add_reference(parser: ArgumentParser) -> None:
    parser.add_argument("reference", metavar="REFERENCE", help="The request; its beginning is enough.")


def _add_reason(parser: ArgumentParser) -> None:
    parser.add_argument("--reason", required=True, metavar="TEXT", help="Why, in a sentence.")
