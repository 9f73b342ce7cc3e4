"""What `gdpr_datamap` does, one function a verb, and what it answers."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.core.management.color import Style

from accord.cli.answer import Answer
from accord.cli.arguments import add_format, add_noinput
from accord.errors import ExitCode
from accord.words import counted
from gdpr.cli.freezing import freeze
from gdpr.cli.suggesting import suggest
from gdpr.coverage import check, check_document, map_document, unreviewed
from gdpr.datamap import actions, lock
from gdpr.datamap.actions import Manual, Nothing, Retain
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import MapFinding, MapLevel
from gdpr.datamap.map import DataMap, load_data_map
from gdpr.stores.base import known_aliases, opened_stores


@dataclass(frozen=True, kw_only=True)
class DataMapOptions:
    """
    What a call asks for.

    Attributes:
        what: What to do.
        stores: Aliases of the only stores that are asked for; all of them if empty.
        offline: Whether no server is asked.
        as_json: Whether the answer is a JSON document.
        interactive: Whether questions may be asked.
        sample: Whether a few values are looked at.
        kind: Whose data are shown; empty for everybody's.
    """

    what: str
    stores: Sequence[str]
    offline: bool
    as_json: bool
    interactive: bool
    sample: bool
    kind: str

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> DataMapOptions:
        """Read what the command line gave."""
        return cls(
            what=options["what"],
            stores=tuple(options["store"]),
            offline=options["offline"],
            as_json=options["format"] == "json",
            interactive=options["interactive"],
            sample=options["sample"],
            kind=options["kind"],
        )


def add_data_map_arguments(parser: ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("what", choices=tuple(VERBS), help="What to do.")
    add_format(parser)
    parser.add_argument(
        "--store", action="append", default=[], metavar="ALIAS", help="Only this store; may be repeated."
    )
    parser.add_argument(
        "--kind", default="", metavar="NAME", help="With show: only what concerns this kind of person."
    )
    parser.add_argument(
        "--offline", action="store_true", help="With check: look at the declarations alone, ask no server."
    )
    parser.add_argument(
        "--sample",
        action="store_true",
        help="With suggest: look at a few values, too; none is told.",
    )
    add_noinput(parser, "With freeze: write without asking.")


def carry_out(asked: DataMapOptions, style: Style) -> Answer:
    """
    Do what is asked for.

    Args:
        asked: The options.
        style: Colours of the answer.

    Raises:
        AccordError: It can't be done.
    """
    return VERBS[asked.what](asked, load_data_map(), style)


# --- check ---------------------------------------------------------------------------------------


def _check(asked: DataMapOptions, data_map: DataMap, style: Style) -> Answer:
    with opened_stores() as stores:
        chosen = () if asked.offline else stores.chosen(asked.stores)
        found = [*check(data_map, chosen), *unreviewed(data_map, lock.load(), chosen)]
    found = [one for one in found if not asked.stores or not one.store or one.store in asked.stores]
    wrong = any(finding.level is MapLevel.ERROR for finding in found)
    return Answer(
        document=check_document(data_map, found),
        lines=_check_lines(data_map, found, style),
        code=ExitCode.DRIFT if wrong else ExitCode.DONE,
    )


def _check_lines(data_map: DataMap, findings: Sequence[MapFinding], style: Style) -> Iterator[str]:
    for finding in findings:
        paint = style.ERROR if finding.level is MapLevel.ERROR else style.WARNING
        yield paint(f"{finding.level}: {finding.message} ({finding.fault.value})")
        if finding.hint:
            yield f"  {finding.hint}"
    counts = Counter(finding.level for finding in findings)
    total = f"{len(data_map.entries)} entries, digest {data_map.digest[:12]}"
    if counts[MapLevel.ERROR]:
        yield style.ERROR(f"{counted(counts[MapLevel.ERROR], 'error')} in {total}.")
    else:
        warnings = f", {counted(counts[MapLevel.WARNING], 'warning')}" if counts[MapLevel.WARNING] else ""
        yield style.SUCCESS(f"Everything is classified: {total}{warnings}.")


# --- show ----------------------------------------------------------------------------------------


def _show(asked: DataMapOptions, data_map: DataMap, _style: Style) -> Answer:
    wanted = known_aliases(asked.stores)
    own = data_map.of(data_map.kind(asked.kind).model) if asked.kind else data_map
    entries = [entry for entry in own.entries if not wanted or entry.store in wanted]
    return Answer(document=map_document(data_map, entries), lines=_map_lines(data_map, entries))


def _map_lines(data_map: DataMap, entries: Sequence[Entry]) -> Iterator[str]:
    for subject in data_map.subjects:
        yield f"Data of {subject.model}, known by {', '.join(subject.names)}; in the order of an erasure."
    for store, of_store in groupby(entries, key=lambda entry: entry.store):
        yield from ("", store, *_store_lines(list(of_store)))
    yield ""
    yield f"Digest {data_map.digest}"


def _store_lines(listed: Sequence[Entry]) -> Iterator[str]:
    holding = [entry for entry in listed if entry.holds_data]
    width = max((len(entry.target) for entry in holding), default=0)
    for entry in holding:
        yield f"  {entry.target:<{width}}  {_what(entry):<22}  {', '.join(entry.fields)}".rstrip()
    empty = [entry.target for entry in listed if not entry.holds_data]
    if empty:
        yield f"  nothing of a person in: {', '.join(empty)}"


def _what(entry: Entry) -> str:
    match entry.action:
        case Retain(article):
            return f"retain, Art. {article}"
        case Manual():
            return "by hand"
        case Nothing():
            return "nothing"
    return actions.name(entry.action)


# --- freeze ---------------------------------------------------------------------------------------


def _freeze(asked: DataMapOptions, data_map: DataMap, _style: Style) -> Answer:
    return freeze(data_map, asked.stores, interactive=asked.interactive)


# --- suggest --------------------------------------------------------------------------------------


def _suggest(asked: DataMapOptions, data_map: DataMap, _style: Style) -> Answer:
    return suggest(data_map, asked.stores, sample=asked.sample)


VERBS: Mapping[str, Callable[[DataMapOptions, DataMap, Style], Answer]] = {
    "check": _check,
    "freeze": _freeze,
    "show": _show,
    "suggest": _suggest,
}
