"""What kind of thing each finding of the data map is, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from gdpr.datamap.findings import Fault

_KINDS: Mapping[str, Any] = {
    Fault.UNCLASSIFIED: _("A model, table, collection or index has no entry."),
    Fault.NO_TARGET: _("An entry names something that doesn't exist."),
    Fault.NO_FIELD: _("An entry names a field that doesn't exist."),
    Fault.NO_INDEX: _("A locator would read everything, because no index serves it."),
    Fault.WRONG_KEY_TYPE: _("Keys are stored in another type than the locator declares."),
    Fault.NOT_EXACT: _("A search field can't be matched exactly."),
    Fault.NO_GROUND: _("Something is retained without article, basis or date."),
    Fault.CYCLE: _("Entries derive from each other in a circle."),
    Fault.REVERSIBLE: _("A strategy of an anonymisation can be undone."),
    Fault.NOT_UNIQUE: _("A unique column would get the same value twice."),
    Fault.DOES_NOT_FIT: _("A column can't hold what would be written into it."),
    Fault.NO_ENTRY: _("An entry refers to another one that doesn't exist."),
    Fault.NO_STORE: _("An entry names a store that isn't configured, or that nothing can be erased from."),
    Fault.WRONG_ACTION: _("Action, locator and store don't go together."),
    Fault.STILL_REFERRED_TO: _("Rows would be deleted that rows of another table still refer to."),
    Fault.NO_REASON: _("An entry does nothing, or leaves it to a person, and doesn't say why or how."),
    Fault.CONTRADICTION: _("A target is said to hold nothing by one entry, and something by another."),
    Fault.NO_SUBJECT: _("No app declares whose data these are, or two do."),
    Fault.READ_IN_FULL: _("A locator reads everything, because of how the target keeps its data."),
    Fault.UNKNOWN_FIELD: _("Nothing says whether a field exists: no document and no schema has it."),
    Fault.NO_KEY: _("A locator asks for a key that the data subject doesn't have."),
    Fault.NEW_FIELD: _("A column, field or property that nobody has accounted for."),
    Fault.FIELD_GONE: _("A field that was reviewed is no longer there."),
    Fault.FIELD_RETYPED: _("A field that was reviewed has another type now."),
    Fault.ENTRY_NOT_REVIEWED: _("An entry came, went or changed its action since the data map was reviewed."),
    Fault.NO_LOCK: _("No lock file holds what was reviewed, so nobody would notice a new field."),
    Fault.NO_FOLDING: _("A key is folded in a way that there isn't, or that it can't be."),
    Fault.NOT_FOLDED: _("Nothing says which spellings of an e-mail address are one person."),
    Fault.SHARED_KEY: _("Several people can have a key that a person may be found by."),
    Fault.SPELLINGS_IN_FULL: _(
        "Other spellings of a key are looked for by reading everything, and that is much."
    ),
}


def kind_of(fault: str) -> str:
    """Say what kind of thing a finding is; nothing for an id that a later version gave."""
    return str(_KINDS.get(fault, ""))
