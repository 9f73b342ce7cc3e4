"""Words beside codes: what a person reads says what is meant, and the code can still be searched for."""

from __future__ import annotations

import pytest
from django.utils import translation

from accord.errors import StoreUnavailable
from accord.meanings import meaning, permission, permissions
from gdpr.erasure import actors
from gdpr.errors import ErasureRefused
from gdpr.templatetags.gdpr_words import as_done
from migrator.governance import people


def test_code_is_told_in_a_sentence() -> None:
    """The sentence is that of the error's class; what no class has stays as it is."""
    assert meaning(StoreUnavailable.code) == "A store can't be reached (ACC-601)"
    assert meaning("ACC-???") == "ACC-???"
    assert meaning("") == ""


@pytest.mark.parametrize("code", ["ACC-600", "ACC-601", "ACC-602", "ACC-603", ErasureRefused.code])
@pytest.mark.parametrize("language", ["fr", "de"])
def test_what_an_erasure_may_meet_is_told_in_each_language(code: str, language: str) -> None:
    """No page of these languages has the English sentence."""
    english = meaning(code)
    with translation.override(language):
        assert meaning(code) != english
        assert code in meaning(code)


@pytest.mark.parametrize(
    "name",
    [
        actors.FILE,
        actors.APPROVE,
        actors.EXECUTE,
        actors.PLACE_HOLD,
        actors.RELEASE_HOLD,
        people.REQUEST,
        people.APPROVE,
        people.ATTEST,
        "accord.view_health",
        "accord.verify_audit",
    ],
)
def test_permission_has_its_label(name: str) -> None:
    """Every permission that a refusal names is one that an administrator finds under that label."""
    assert permission(name).startswith("“Can ")
    assert permission(name).endswith(f"({name})")


def test_permissions_of_which_one_is_enough_stand_in_one_phrase() -> None:
    """What no model declares is named as it is."""
    assert permissions(("gdpr.add_legalhold", "nowhere.do")) == (
        "“Can add legal hold” (gdpr.add_legalhold) or nowhere.do"
    )


@pytest.mark.parametrize("action", ["delete", "unset", "retain", "pull", "anonymise", "detach", "refresh"])
def test_receipt_says_what_became_of_data(action: str) -> None:
    """The data map's word for an action is none that the person concerned has to know."""
    assert as_done(action) != action
