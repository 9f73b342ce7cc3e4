"""A model that went to another app: what the data map's checks say of its old label and of its new one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from examples.streaming.models import Venue
from gdpr.datamap import moved, review
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault
from gdpr.datamap.map import DataMap, load_data_map
from gdpr.datamap.static import static_findings
from gdpr.errors import InvalidDataMap
from gdpr.stores.base import model_of

FREEZE = "Once that is reviewed, run gdpr_datamap freeze."


def map_of_before(label: str) -> tuple[DataMap, Entry]:
    """Return the sample's map as it was when venues had another label, and their entry."""
    every = load_data_map()
    (entry,) = (one for one in every.entries if one.target == "streaming.Venue")
    old = replace(entry, target=label)
    return DataMap(tuple(old if one == entry else one for one in every.entries), every.subject), old


def test_entry_of_the_old_label_is_named_where_the_new_one_has_none() -> None:
    """Instead of another entry, which would say of the same rows what nobody has reviewed."""
    before, entry = map_of_before("concerts.Venue")

    found = {one.target: one for one in review.of_models(before, None) if one.fault is Fault.UNCLASSIFIED}

    assert found.keys() == {"streaming.Venue"}
    assert found["streaming.Venue"].hint == (
        f"Entry “{entry.id}” names concerts.Venue, which is no model any more. Did it move? "
        f"Name streaming.Venue in it. {FREEZE}"
    )


def test_label_that_is_gone_is_told_with_the_one_that_came() -> None:
    """By the check of a store, and by an erasure, which is refused."""
    _, entry = map_of_before("concerts.Venue")
    hint = f'Did it move? "streaming.Venue" has its name or its table: name that one. {FREEZE}'

    assert moved.absent(entry, "the database does not have").hint == hint
    with pytest.raises(InvalidDataMap) as refused:
        model_of(entry)
    assert refused.value.hint == hint


def test_model_is_known_again_by_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class may be called otherwise in its new app; the table keeps the name that Django gave it."""
    assert moved.label_now("concerts.Place") == ""

    monkeypatch.setattr(Venue._meta, "db_table", "concerts_place")

    assert moved.label_now("concerts.Place") == "streaming.Venue"


@pytest.mark.parametrize("label", ["streaming.Venue", "nothing", "gone.Gone", "table:venue"])
def test_nothing_is_guessed_of_other_labels(label: str) -> None:
    """A model that is there, what is no label, and what nothing has the name or the table of."""
    assert moved.label_now(label) == ""
    assert moved.hint(label) == "Correct the entry."


def test_person_whose_model_moved_is_told() -> None:
    """The subject is a label, too."""
    every = load_data_map()
    (subject, *_) = every.subjects
    name = subject.model.partition(".")[2]
    gone = replace(subject, model=f"people.{name}")
    rest = DataMap(every.entries, gone)

    hints = [one.hint for one in static_findings(rest) if one.fault is Fault.NO_SUBJECT]

    assert hints[0].startswith(f'Did it move? "{subject.model}"')
