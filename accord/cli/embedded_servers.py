"""What `embedded` does, one function a verb, and what it answers."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings

from accord import embedded
from accord.cli.answer import Answer
from accord.cli.arguments import add_format, add_noinput
from accord.embedded.progress import reporter_for
from accord.errors import NotConfirmed
from accord.events import Reporter


@dataclass(frozen=True, kw_only=True)
class EmbeddedOptions:
    """
    What a call asks for.

    Attributes:
        verb: What to do.
        names: The servers to do it to.
        root: Folder of the checkout.
        interactive: Whether a question may be asked.
        as_json: Whether the answer is a JSON document.
    """

    verb: str
    names: Sequence[str]
    root: Path
    interactive: bool
    as_json: bool

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> EmbeddedOptions:
        """
        Read what the command line gave.

        Raises:
            UnknownStore: There is no such server.
        """
        usual = embedded.DEFAULT if options["action"] in ("start", _SETTINGS) else embedded.SERVERS
        names = tuple(dict.fromkeys(options["stores"])) or tuple(usual)
        embedded.check_names(names)
        return cls(
            verb=options["action"],
            names=names,
            root=Path(getattr(settings, "BASE_DIR", None) or Path.cwd()),
            interactive=options["interactive"],
            as_json=options["format"] == "json",
        )


def add_embedded_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("action", choices=(*VERBS, _SETTINGS), help="What to do.")
    parser.add_argument(
        "stores",
        metavar="STORE",
        nargs="*",
        help=f"Servers to do it to: {', '.join(embedded.SERVERS)}. "
        f"Without any, start and settings take {', '.join(embedded.DEFAULT)}; the others take every server.",
    )
    add_noinput(parser, "Reset without asking.")
    add_format(parser)


def carry_out(asked: EmbeddedOptions, stream: TextIO) -> Answer:
    """
    Do what is asked for, and return how the servers are then.

    Args:
        asked: The options.
        stream: Where it is told what goes on.

    Raises:
        EmbeddedError: A server can't be started or stopped.
        NotConfirmed: The question was not answered with yes.
    """
    if asked.verb == _SETTINGS:
        text = settings_for(asked.names)
        return Answer(document={"schema": "accord.embedded/1", "settings": text}, lines=text.splitlines())
    if asked.verb == "reset" and asked.interactive:
        _confirm(asked.names)
    with reporter_for(stream) as report:
        VERBS[asked.verb](asked, report)
    states = embedded.status(asked.root, asked.names)
    return Answer(
        document={"schema": "accord.embedded/1", "servers": [_document(state) for state in states]},
        lines=[_line(state) for state in states],
    )


def _start(asked: EmbeddedOptions, report: Reporter) -> None:
    # Nothing in this command uses a store, so a server may move where its port was taken.
    embedded.ensure_running(asked.root, asked.names, report, may_move=True)


def _stop(asked: EmbeddedOptions, report: Reporter) -> None:
    embedded.stop(asked.root, asked.names, report)


def _look(_asked: EmbeddedOptions, _report: Reporter) -> None:
    """Do nothing: every verb ends with a look."""


def _reset(asked: EmbeddedOptions, report: Reporter) -> None:
    embedded.reset(asked.root, asked.names, report)


VERBS: Mapping[str, Callable[[EmbeddedOptions, Reporter], None]] = {
    "start": _start,
    "stop": _stop,
    "status": _look,
    "reset": _reset,
}


_SETTINGS = "settings"
"""The verb that shows how a project of one's own uses the servers."""
_STORES = {
    "mongodb": ("mongodb", '"BACKEND": "mongo_migrations.store.MongoStore", "URL": _URLS["mongodb"]'),
    "opensearch": ("search", '"BACKEND": "searchindex.store.SearchStore", "URL": _URLS["opensearch"]'),
    "elasticsearch": ("elastic", '"BACKEND": "searchindex.store.SearchStore", "URL": _URLS["elasticsearch"]'),
}
"""By server: the alias of its store, and its entry."""


def settings_for(names: Sequence[str]) -> str:
    """
    Write what a project's settings need in order to use embedded servers; no port and no password is in it.

    Args:
        names: The servers.
    """
    lines = ["# In the settings for development, below BASE_DIR. Start the servers: manage.py embedded start"]
    lines += ["from accord import embedded", ""]
    if "postgres" in names:
        lines += ['DATABASES = {"default": embedded.database(BASE_DIR)}']
    stores = [name for name in names if name in _STORES]
    if stores:
        entries = [f'        "{alias}": {{{entry}}},' for alias, entry in (_STORES[name] for name in stores)]
        lines += [f"_URLS = embedded.urls(BASE_DIR, {stores!r})", "ACCORD = {", '    "STORES": {', *entries]
        lines += ["    },", "}"]
    return "\n".join(lines)


def _confirm(names: Sequence[str]) -> None:
    try:
        answer = input(f"This deletes all data of the embedded {', '.join(names)}. Type 'yes' to go on: ")
    except EOFError:
        answer = ""
    if answer.strip().lower() != "yes":
        raise NotConfirmed(
            "Nothing was deleted: the question was not answered with yes.",
            hint="Answer yes, or give --noinput where nobody can answer.",
        )


def _document(state: embedded.ServerState) -> dict[str, Any]:
    return {
        "name": state.name,
        "version": state.version,
        "condition": state.condition.value,
        "host": "127.0.0.1",
        "port": state.port,
        "pid": state.pid,
        "data": str(state.data),
        "log": str(state.log),
    }


def _line(state: embedded.ServerState) -> str:
    place = f"127.0.0.1:{state.port}" if state.port else "-"
    process = f"pid {state.pid}" if state.pid else ""
    return f"{state.name:<14} {state.version:<8} {state.condition.value:<9} {place:<16} {process}".rstrip()
