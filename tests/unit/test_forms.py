"""What a page records as a person's decision was chosen by that person: no form answers for them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django import forms

ROOT = Path(__file__).parents[2]
PACKAGES = ("accord", "gdpr", "migrator", "mongo_migrations", "searchindex")
SCREENS = ("admin.py", "admin_parts.py", "screens/*.py")


@cache
def forms_of_the_admin() -> tuple[type[forms.BaseForm], ...]:
    """Return every form that the modules of the suite's pages define, admin actions and filters included."""
    found = (one for module in modules() for one in vars(import_module(module)).values())
    return tuple(
        sorted(
            {one for one in found if inspect.isclass(one) and issubclass(one, forms.BaseForm) and ours(one)},
            key=str,
        )
    )


def modules() -> Iterator[str]:
    for package in PACKAGES:
        for pattern in SCREENS:
            for path in sorted((ROOT / package).glob(pattern)):
                yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def ours(form: type) -> bool:
    return form.__module__.partition(".")[0] in PACKAGES


def unanswered(form: type[Any]) -> Any:
    """Return the form as a person meets it; what is listed from a request is filled in."""
    listed = "entries" in inspect.signature(form).parameters
    return form(entries=["one", "two"]) if listed else form()


def test_forms_are_found() -> None:
    """Were the search to find nothing, nothing would be tested."""
    names = {form.__name__ for form in forms_of_the_admin()}

    assert {"IdentityForm", "RejectForm", "ExtendForm", "HoldForm", "ByHandForm"} <= names


@pytest.mark.parametrize("form", forms_of_the_admin(), ids=lambda form: form.__name__)
def test_nothing_is_preselected(form: type[forms.BaseForm]) -> None:
    """Each choice opens on nothing and has to be answered; no box is ticked."""
    for name, field in unanswered(form).fields.items():
        if isinstance(field, forms.BooleanField):
            assert not field.initial, name
        if isinstance(field, forms.ChoiceField):
            assert field.required, name
            assert not field.initial, name
            choices: Any = field.choices
            assert next(iter(choices))[0] == "", name


@pytest.mark.parametrize("form", forms_of_the_admin(), ids=lambda form: form.__name__)
def test_nothing_is_decided_by_the_button_alone(form: type[Any]) -> None:
    """A form that is sent as it opened is refused for each of its choices."""
    made = unanswered(form)
    sent = dict.fromkeys(made.fields, "")
    listed = {"entries": ["one"]} if "entries" in inspect.signature(form).parameters else {}
    answered = form(sent, **listed)

    choices = {name for name, field in made.fields.items() if isinstance(field, forms.ChoiceField)}
    assert choices <= set(answered.errors)
