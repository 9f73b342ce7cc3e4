"""A misspelt environment in a policy asks nobody for anything; so it is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.test import override_settings

from accord import checks, conf, proof_policy
from accord.errors import ConfigurationError
from gdpr import checks as gdpr_checks
from gdpr.drill import exchange
from gdpr.erasure import policy as erasure_policy
from migrator import checks as migrator_checks
from migrator.governance import policy

Check = Callable[[], Any]
PLACES: Mapping[str, tuple[Callable[[str], dict[str, Any]], Check, Check, str]] = {
    "entry": (
        lambda name: {name: {"approval": True}},
        lambda: policy.load(conf.load()),
        migrator_checks.policy_is_readable,
        "migrator.E001",
    ),
    "attestation": (
        lambda name: {"production": {"attestation": name}},
        lambda: policy.load(conf.load()),
        migrator_checks.policy_is_readable,
        "migrator.E001",
    ),
    "proof": (
        lambda name: {"proof": {"environments": ["production", name]}},
        lambda: proof_policy.load(conf.load()),
        checks.check_settings,
        "accord.E001",
    ),
    "password": (
        lambda name: {"proof": {"password_variable": [name]}},
        lambda: proof_policy.load(conf.load()),
        checks.check_settings,
        "accord.E001",
    ),
    "retention": (
        lambda name: {"erasure": {"retention_approval": {name: "always"}}},
        erasure_policy.load,
        gdpr_checks.policy_is_readable,
        "gdpr.E903",
    ),
    "open findings": (
        lambda name: {"erasure": {"open_findings": {name: "refuse"}}},
        erasure_policy.load,
        gdpr_checks.policy_is_readable,
        "gdpr.E903",
    ),
}
PLACE = pytest.mark.parametrize("place", PLACES)


def told(place: str, name: str, **more: object) -> list[str]:
    """Return what the check says where a place names an environment, and make sure that the door agrees."""
    written, door, check, _ = PLACES[place]
    with override_settings(ACCORD={"POLICY": written(name), **more}):
        found = [one for one in check() if one.id == PLACES[place][3]]
        if not found:
            door()
            return []
        with pytest.raises(ConfigurationError) as refused:
            door()
    assert [(one.msg, one.hint) for one in found] == [(refused.value.message, refused.value.hint)]
    return [f"{one.msg} {one.hint}" for one in found]


@PLACE
def test_misspelt_environment_is_refused_with_the_names_that_there_are(place: str) -> None:
    """Before a run by the system check, and at the door; the name that was meant comes first."""
    [said] = told(place, "prodction")

    assert "names “prodction”, and no environment is called so. Did you mean production?" in said
    assert all(name in said for name in ("development", "test", "staging", "production", "ENVIRONMENTS"))


@PLACE
@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("staging", {}),
        ("eu-live", {"ENVIRONMENT": "eu-live"}),
        ("eu-live", {"ENVIRONMENTS": ["eu-live", "us-live"], "ENVIRONMENT": "us-live"}),
    ],
    ids=["usual", "this one", "declared"],
)
def test_environment_that_there_is_may_be_named(place: str, name: str, more: dict[str, object]) -> None:
    """The four usual ones, this installation's own, and those that the project lists."""
    assert told(place, name, **more) == []


@PLACE
def test_name_of_our_own_that_nobody_lists_is_refused(place: str) -> None:
    """Nothing is near it, so no guess is made."""
    [said] = told(place, "eu-live")

    assert "Did you mean" not in said


def test_drill_knows_the_names_that_the_policy_has() -> None:
    """It runs as `test`, under the rules of the project, which name the project's own environment."""
    before = {"ENVIRONMENT": "eu-live", "ENVIRONMENTS": ["us-live", "staging"]}

    assert exchange.accord(before, {}, "/drill")["ENVIRONMENTS"] == ["us-live", "eu-live"]
