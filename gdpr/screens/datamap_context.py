"""What the page of the data map shows, prepared for its template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gdpr.coverage import Coverage, StoreCoverage
from gdpr.datamap.actions import Action, Manual, Nothing, Retain, name, touched
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import MapFinding
from gdpr.datamap.keys import key_type
from gdpr.datamap.locators import AnyOf, External, Generic, Locator, Rows, Sessions, Simple, Through
from gdpr.datamap.term_words import in_words

_WORDS = {
    "delete": gettext_lazy("delete"),
    "pull": gettext_lazy("take out of the array"),
    "unset": gettext_lazy("empty the fields"),
    "anonymise": gettext_lazy("anonymise"),
    "detach": gettext_lazy("detach"),
    "retain": gettext_lazy("keep"),
    "refresh": gettext_lazy("refresh the view"),
    "manual": gettext_lazy("by hand"),
    "nothing": gettext_lazy("nothing"),
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """
    One entry as people read it.

    Attributes:
        entry: The entry.
        action: What an erasure does, in a word.
        detail: On which fields, why, or on which ground and until when.
        locators: How one person's data are found, one line for each way.
        whose: Of which kinds of people; empty where there is one kind, or for everybody's.
    """

    entry: Entry
    action: str
    detail: str
    locators: Sequence[str]
    whose: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """
    One store as people read it.

    Attributes:
        store: What it said.
        lines: The entries that hold something of a person.
        empty: The entries that hold nothing of anybody.
        findings: What is wrong.
        percent: How much is classified, of a hundred.
    """

    store: StoreCoverage
    lines: Sequence[Line]
    empty: Sequence[Line]
    findings: Sequence[MapFinding]
    percent: int


def sections(coverage: Coverage) -> Sequence[Section]:
    """Prepare each store, in the order of an erasure."""
    called = {one.model: one.called for one in coverage.data_map.several}
    return [_section(store, called) for store in coverage.stores]


def _section(store: StoreCoverage, called: Mapping[str, str]) -> Section:
    lines = [line_of(entry, called) for entry in store.entries]
    return Section(
        store=store,
        lines=[line for line in lines if line.entry.holds_data],
        empty=[line for line in lines if not line.entry.holds_data],
        findings=store.findings,
        percent=percent(store.classified, store.total),
    )


def percent(part: int, whole: int) -> int:
    """Return a share of a hundred, rounded down, so that only everything is a hundred."""
    return part * 100 // whole if whole else 100


def line_of(entry: Entry, called: Mapping[str, str] = MappingProxyType({})) -> Line:
    """
    Describe an entry.

    Args:
        entry: Which.
        called: What each kind of person is called, by the label of its model, where there are several.
    """
    return Line(
        entry=entry,
        action=str(_WORDS[name(entry.action)]),
        detail=_detail(entry.action),
        locators=ways(entry.locator),
        whose=", ".join(called.get(kind, kind) for kind in entry.kinds) if called else "",
    )


def _detail(action: Action) -> str:
    match action:
        case Retain(article, basis, until):
            ground = {"article": article, "basis": basis, "until": in_words(until)}
            return _("Art. %(article)s: %(basis)s, until %(until)s") % ground
        case Manual(instructions):
            return instructions
        case Nothing(reason):
            return reason
    return ", ".join(touched(action))


def ways(locator: Locator | None) -> Sequence[str]:
    """Describe how a locator finds one person's data, in a line for each way."""
    if locator is None:
        return []
    return [_way(part) for part in (locator.locators if isinstance(locator, AnyOf) else (locator,))]


def _way(locator: Simple | Sessions | External) -> str:
    match locator:
        case Rows(entry, field, kind):
            return f"{field} → {entry} ({key_type(kind)})"
        case Generic(of):
            return f"content_type, object_id → {', '.join(of)}"
        case Sessions(entry):
            return _("sessions of %s") % entry
        case External(place, kind, by):
            return _typed(place, kind, by)
        case Through():
            return _typed(locator.path.replace("__", " → "), locator.type, locator.by)
        case _:
            return _typed(
                getattr(locator, "path", "") or getattr(locator, "field", ""), locator.type, locator.by
            )


def _typed(path: str, kind: object, by: str) -> str:
    return f"{path} = {by} ({key_type(kind)})" if by else f"{path} ({key_type(kind)})"
