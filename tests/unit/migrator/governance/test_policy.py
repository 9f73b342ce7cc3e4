"""What environments ask for."""

from __future__ import annotations

import pytest

from accord.errors import ConfigurationError
from accord.seam.rewriting import Extent
from migrator.governance.policy import WEEK, Reaction, parse


def test_production_waits_for_a_second_person_by_default() -> None:
    """Nothing set is the safe choice, also where other environments are named, or misspelt."""
    for raw in ({}, {"prodution": {"approval": False}}, {"erasure": {"attempts": 3}}):
        assert parse(raw).of("production").approval
        assert parse(raw).of("production").approval_ttl == WEEK


def test_other_environments_ask_for_nothing_by_default() -> None:
    """A laptop is not slowed down."""
    assert not parse({}).of("development").asks


def test_policy_of_production_can_be_lightened_on_purpose() -> None:
    """What is written down counts."""
    assert not parse({"production": {"approval": False}}).of("production").asks


def test_what_is_foretold_to_fail_is_refused_unless_said_otherwise() -> None:
    """Everywhere, whether an environment has an entry or not."""
    policies = parse({"qa": {"foretelling": "warn"}, "staging": {}})

    assert policies.of("qa").foretelling is Reaction.WARN
    assert {policies.of(name).foretelling for name in ("staging", "production", "x")} == {Reaction.REFUSE}


def test_large_tables_are_spared_unless_said_otherwise() -> None:
    """Everywhere, whether an environment has an entry or not."""
    policies = parse({"qa": {"rewriting": "off"}, "staging": {"rewriting": "every"}, "x": {}})

    assert policies.of("qa").rewriting is Extent.OFF
    assert policies.of("staging").rewriting is Extent.EVERY
    assert {policies.of(name).rewriting for name in ("x", "production", "y")} == {Extent.LARGE}


def test_environments_that_others_rely_on_attest_their_runs() -> None:
    """Staging always does, and whatever a policy names."""
    policies = parse({"production": {"attestation": "rehearsal"}})

    assert policies.attests("rehearsal")
    assert policies.attests("staging")
    assert not policies.attests("production")


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        ({"rule": []}, "Did you mean rules?"),
        ({"rules": ["ownr"]}, "Did you mean owner?"),
        ({"rules": "owner"}, "docs"),
        ({"approval": 1}, "docs"),
        ({"attestation": None}, "docs"),
        ({"approval_ttl": True}, "docs"),
        ({"approval_ttl": -1}, "docs"),
        ({"foretelling": "maybe"}, "docs"),
        ({"foretelling": True}, "docs"),
        ({"live_drift": "tell"}, "docs"),
        ({"locks": {"timeout": 2}}, "docs"),
        ({"locks": "on"}, "docs"),
        ({"rewriting": "always"}, "docs"),
        ({"rewriting": True}, "docs"),
    ],
)
def test_what_can_not_be_meant_is_refused(entry: dict[str, object], word: str) -> None:
    """The place and the remedy are named."""
    with pytest.raises(ConfigurationError) as caught:
        parse({"qa": entry})

    assert "ACCORD['POLICY']['qa']" in caught.value.message
    assert word in caught.value.hint
