"""`manage.py gdpr_datamap`: look at the data map, and hold it against the live stores."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from accord.command import AnsweringCommand
from accord.errors import ExitCode
from accord.words import counted
from gdpr.coverage import check, check_document, map_document
from gdpr.datamap import actions
from gdpr.datamap.actions import Manual, Nothing, Retain
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Finding, Level
from gdpr.datamap.map import DataMap, load_data_map
from gdpr.stores.base import known_aliases, opened_stores


class Command(AnsweringCommand):
    """Show the data map, or check it; 0 when an erasure would miss nothing, 6 when it would."""

    help = (
        "Shows where personal data are kept (show), or compares that with the live schemas of all "
        "stores (check). Exit code 0: nothing is missing, 6: something is wrong."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("what", choices=("check", "show"), help="What to do.")
        parser.add_argument("--format", choices=("text", "json"), default="text", help="How to answer.")
        parser.add_argument(
            "--store", action="append", default=[], metavar="ALIAS", help="Only this store; may be repeated."
        )
        parser.add_argument(
            "--offline",
            action="store_true",
            help="With check: look at the declarations alone, ask no server.",
        )

    def answer(self, options: dict[str, Any]) -> ExitCode:
        data_map = load_data_map()
        if options["what"] == "show":
            self._show(data_map, options)
            return ExitCode.DONE
        findings = self._findings(data_map, options)
        if options["format"] == "json":
            self.stdout.write(json.dumps(check_document(data_map, findings), indent=2, ensure_ascii=False))
        else:
            self._say(data_map, findings)
        wrong = any(finding.level is Level.ERROR for finding in findings)
        return ExitCode.DRIFT if wrong else ExitCode.DONE

    def _findings(self, data_map: DataMap, options: Mapping[str, Any]) -> list[Finding]:
        with opened_stores() as stores:
            found = check(data_map, () if options["offline"] else stores.chosen(options["store"]))
        wanted = options["store"]
        return [one for one in found if not wanted or not one.store or one.store in wanted]

    def _show(self, data_map: DataMap, options: Mapping[str, Any]) -> None:
        wanted = known_aliases(options["store"])
        entries = [entry for entry in data_map.entries if not wanted or entry.store in wanted]
        if options["format"] == "json":
            self.stdout.write(json.dumps(map_document(data_map, entries), indent=2, ensure_ascii=False))
            return
        for line in _lines(data_map, entries):
            self.stdout.write(line)

    def _say(self, data_map: DataMap, findings: Sequence[Finding]) -> None:
        for finding in findings:
            paint = self.style.ERROR if finding.level is Level.ERROR else self.style.WARNING
            self.stdout.write(paint(f"{finding.level}: {finding.message} ({finding.fault.value})"))
            if finding.hint:
                self.stdout.write(f"  {finding.hint}")
        counts = Counter(finding.level for finding in findings)
        total = f"{len(data_map.entries)} entries, digest {data_map.digest[:12]}"
        if counts[Level.ERROR]:
            self.stdout.write(self.style.ERROR(f"{counted(counts[Level.ERROR], 'error')} in {total}."))
        else:
            warnings = f", {counted(counts[Level.WARNING], 'warning')}" if counts[Level.WARNING] else ""
            self.stdout.write(self.style.SUCCESS(f"Everything is classified: {total}{warnings}."))


def _lines(data_map: DataMap, entries: Sequence[Entry]) -> Iterator[str]:
    subject = data_map.subject
    if subject is not None:
        yield f"Data of {subject.model}, known by {', '.join(subject.names)}; in the order of an erasure."
    for store, of_store in groupby(entries, key=lambda entry: entry.store):
        listed = list(of_store)
        holding = [entry for entry in listed if entry.holds_data]
        yield ""
        yield f"{store}"
        width = max((len(entry.target) for entry in holding), default=0)
        for entry in holding:
            yield f"  {entry.target:<{width}}  {_what(entry):<22}  {', '.join(entry.fields)}".rstrip()
        empty = [entry.target for entry in listed if not entry.holds_data]
        if empty:
            yield f"  nothing of a person in: {', '.join(empty)}"
    yield ""
    yield f"Digest {data_map.digest}"


def _what(entry: Entry) -> str:
    match entry.action:
        case Retain(article):
            return f"retain, Art. {article}"
        case Manual():
            return "by hand"
        case Nothing():
            return "nothing"
    return actions.name(entry.action)
