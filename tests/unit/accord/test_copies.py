"""Declared copies, and the documents that they make of rows: no name twice, and no value in an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest

from accord.bulk import copies
from accord.bulk.copies import Copy, From, Into, declarations, declared_as
from accord.bulk.documents import Maker, function_of
from accord.bulk.errors import CopyRefused
from accord.errors import ConfigurationError, UsageError
from examples.streaming import copies as sample

SECRET = "zoe@canary.example"
SAMPLE = tuple(sample.COPIES)


def made(name: str = "one", into: str = "there", **more: Any) -> Copy:
    """Declare a copy."""
    source = From(store="default", name="rows")
    return Copy(name=name, source=source, target=Into(store="search", name=into), **more)


def maker(function: Any = None, key: tuple[str, ...] = ("id",), **more: Any) -> Maker:
    """Make documents of two columns."""
    return Maker(copy=made(row="a.function", **more), columns=("id", "word"), key=key, function=function)


def told(line: bytes) -> Any:
    return json.loads(line)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Two words"},
        {"names": {"a": "c", "b": "c"}},
        {"names": {"a": "kind"}, "constants": {"kind": 1}},
        {"names": {"a": "_id"}},
        {"constants": {"_id": 1}},
    ],
    ids=str,
)
def test_declaration_that_fits_nothing_is_refused(wrong: Mapping[str, Any]) -> None:
    """Also one that would have two values in one place of a document."""
    with pytest.raises(ConfigurationError, match="Copy"):
        made(**wrong)


def test_declarations_are_those_of_the_apps(monkeypatch: pytest.MonkeyPatch) -> None:
    """By name; a name or a target that is there already is refused, and what is no copy."""
    assert list(declarations()) == ["venues"]
    with pytest.raises(UsageError, match="venues"):
        declared_as("nosuch")
    for more, says in (
        (made(name="venues"), "declared twice"),
        (made(into="venues"), "fills what “venues” fills"),
        ("venues", "no Copy"),
    ):
        monkeypatch.setattr(sample, "COPIES", [*SAMPLE, more])
        with pytest.raises(ConfigurationError, match=says):
            declarations()


def test_app_without_such_a_module_declares_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does one whose `copies` is about something else."""
    monkeypatch.setattr(copies, "import_module", lambda _name: ModuleType("copies"))

    assert declarations() == {}


def test_document_has_the_names_and_constants_that_are_declared() -> None:
    """A column of the key goes along only where it is declared; what a row lacks, its document lacks."""
    named = maker(names={"word": "title"}, constants={"kind": "x"})

    assert told(named.line({"id": 5, "word": "a\n漢", "other": 1})) == {
        "_id": 5,
        "id": 5,
        "title": "a\n漢",
        "kind": "x",
    }
    assert told(named.line({"id": 5})) == {"_id": 5, "id": 5, "kind": "x"}


def test_keys_of_several_columns_stay_apart() -> None:
    """Whatever stands in them."""
    two = maker(key=("id", "word"))
    keys = [
        two.key_of({"id": one, "word": other}) for one, other in (("a/b", "c"), ("a", "b/c"), ("a%2Fb", "c"))
    ]

    assert keys == ["a%2Fb/c", "a/b%2Fc", "a%252Fb/c"]


def test_no_error_of_a_row_tells_a_value() -> None:
    """The function fails, returns what is no JSON, or another key; the key is empty."""

    def failing(document: Mapping[str, Any]) -> Mapping[str, Any]:
        raise ValueError(document["word"])

    for function in (
        failing,
        lambda document: {"word": {document["word"]}},
        lambda document: document["word"],
        lambda document: {"_id": document["word"]},
    ):
        with pytest.raises(CopyRefused) as refused:
            maker(function).line({"id": 1, "word": SECRET})
        assert SECRET not in str(refused.value)
    with pytest.raises(CopyRefused, match="id"):
        maker().line({"id": None, "word": SECRET})


def test_function_is_imported_by_its_path() -> None:
    """A path that leads to nothing, or to no function, is told."""
    assert function_of(made()) is None
    assert function_of(declared_as("venues")) is sample.located
    for path in ("examples.streaming.copies.nosuch", "examples.streaming.copies.COPIES"):
        with pytest.raises(ConfigurationError, match=r"COPIES|nosuch"):
            function_of(made(row=path))
