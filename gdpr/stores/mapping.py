"""How an index keeps a field, and by which name of it a key can be matched exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accord.erased.folding import Fold
from gdpr.datamap.keys import KeyType, Plain, key_type, variants
from gdpr.datamap.locators import (
    AnyOf,
    Array,
    External,
    Generic,
    Key,
    Keyed,
    Locator,
    Path,
    Rows,
    Sessions,
    Through,
)
from gdpr.datamap.subjects import Keys
from gdpr.errors import ErasureRefused

Query = dict[str, Any]
NOTHING: Query = {"match_none": {}}
_CLAUSES = 500  # of a query; engines refuse more than 1,024
_NOT_ASCII = ".*[^ -~].*"
_FOLDED = frozenset({"keyword", "constant_keyword", "wildcard"})
"""Types of fields that have queries without case, and by regular expressions."""

_NUMBERS = frozenset({"long", "integer", "short", "byte", "unsigned_long"})
_TEXTS = frozenset({"keyword", "constant_keyword", "wildcard", "flattened", "ip"})
_FITTING: Mapping[KeyType, frozenset[str]] = {
    KeyType.INT: _NUMBERS | {"keyword"},
    KeyType.BOTH: _NUMBERS | {"keyword"},
    KeyType.STR: _TEXTS,
    KeyType.UUID: _TEXTS,
    KeyType.OBJECT_ID: _TEXTS,
}
# Longest text that a key of this type takes; an address of mail may have 254 characters.
_LONGEST: Mapping[KeyType, int] = {
    KeyType.INT: 20,
    KeyType.BOTH: 20,
    KeyType.STR: 254,
    KeyType.UUID: 36,
    KeyType.OBJECT_ID: 24,
}


@dataclass(frozen=True, kw_only=True)
class ExactField:
    """
    A field that a key can be compared with.

    Attributes:
        name: Name to search by; a sub-field where the field itself is analysed.
        type: Its type; empty where the mapping has none.
        nested: Path of the nested objects that it lies in; empty for none.
        problem: Why it can't be matched exactly; empty when it can.
    """

    name: str
    type: str = ""
    nested: str = ""
    problem: str = ""


def exact_field(properties: Mapping[str, Any], path: str, kind: KeyType) -> ExactField:
    """
    Find out by which name a key can be matched.

    Args:
        properties: `properties` of the index's mapping.
        path: Dotted path of the field.
        kind: Type of the key.
    """
    nested, place = "", properties
    steps = path.split(".")
    for position, step in enumerate(steps[:-1]):
        definition = place.get(step)
        so_far = ".".join(steps[: position + 1])
        if definition is None:
            return ExactField(name=path)
        if definition.get("enabled") is False:
            return ExactField(name=path, type="object", problem=f"{so_far} is not indexed (enabled: false)")
        nested = so_far if definition.get("type") == "nested" else nested
        place = definition.get("properties", {})
    definition = place.get(steps[-1])
    if definition is None:
        return ExactField(name=path)
    return _judged(path, nested, definition, kind)


def _judged(path: str, nested: str, definition: Mapping[str, Any], kind: KeyType) -> ExactField:
    """Choose the field or the first of its sub-fields that will do."""
    candidates = [(path, definition)]
    candidates += [(f"{path}.{name}", sub) for name, sub in definition.get("fields", {}).items()]
    judged = [
        ExactField(name=name, type=str(one.get("type", "object")), nested=nested, problem=_problem(one, kind))
        for name, one in candidates
    ]
    return next((one for one in judged if not one.problem), judged[0])


def _problem(definition: Mapping[str, Any], kind: KeyType) -> str:  # noqa: PLR0911 - one a problem
    stored = str(definition.get("type", "object"))
    if definition.get("enabled") is False:
        return "it is not indexed (enabled: false)"
    if stored in ("text", "match_only_text", "search_as_you_type"):
        return "it is analysed text and has no keyword sub-field"
    if definition.get("index") is False:
        without = " and has no doc_values" if definition.get("doc_values") is False else ""
        return f"it is not indexed (index: false){without}"
    shortest = definition.get("ignore_above")
    if shortest is not None and int(shortest) < _LONGEST[kind]:
        return f"texts longer than {shortest} are not indexed (ignore_above)"
    if definition.get("normalizer") and kind is KeyType.STR:
        return "it is normalised, so that other people's keys would match as well"
    if stored not in _FITTING[kind]:
        return f"it is of type {stored}, and the key of type {kind}"
    return ""


def field_path(locator: Keyed | Rows) -> str:
    """Return the dotted path of the field that a locator compares with."""
    if isinstance(locator, Key | Rows):
        return locator.field
    return locator.path.replace("[]", "")


def locator_type(locator: Key | Path | Array | Rows) -> KeyType:
    """Return the type of the key that a locator compares with."""
    return key_type(locator.type)


def values_of(locator: Key | Path | Array | Rows, keys: Keys) -> list[Any]:
    """
    Return the forms of the keys that a locator compares with, as JSON has them.

    Raises:
        ErasureRefused: They were not collected; finding nothing would be a lie.
    """
    if isinstance(locator, Rows):
        if locator.entry not in keys.collected:
            raise ErasureRefused(
                f"The keys of entry “{locator.entry}” have not been collected.",
                hint="Collect the entries of DataMap.to_collect() before anything is looked for.",
            )
        plain: Sequence[Any] = keys.collected[locator.entry]
    else:
        plain = keys.values(locator.by)
    forms = [form for value in plain for form in variants(value, locator.type)]
    return [form if isinstance(form, int) else str(form) for form in forms]


def query(properties: Mapping[str, Any], locator: Locator | None, keys: Keys) -> Query:
    """
    Turn a locator into a query on an index.

    Args:
        properties: `properties` of the index's mapping.
        locator: What to look for.
        keys: Whom.

    Raises:
        ErasureRefused: The field can't be matched exactly, or the locator is one of tables.
    """
    match locator:
        case None:
            return NOTHING
        case AnyOf():
            return {"bool": {"should": [query(properties, part, keys) for part in locator.locators]}}
        case Key() | Path() | Array() | Rows():
            return _terms(properties, locator, keys)
        case Through() | Generic() | Sessions() | External():
            raise _elsewhere(locator)


def candidates(
    properties: Mapping[str, Any], locator: Keyed, fold: Fold, wanted: Sequence[str]
) -> Iterator[Query]:
    """
    Yield queries that find every spelling of a key and more.

    Engines compare without case in ASCII alone. All other texts are candidates.

    Args:
        properties: `properties` of the index's mapping.
        locator: Where the key stands.
        fold: Which spellings are one.
        wanted: Keys, folded.

    Raises:
        ErasureRefused: The field's type has no such queries.
    """
    if isinstance(locator, Through):
        raise _elsewhere(locator)
    path = field_path(locator)
    field = exact_field(properties, path, locator_type(locator))
    if path == "_id" or (field.type and not field.problem and field.type not in _FOLDED):
        raise ErasureRefused(
            f"The field {path} can't be looked at in other spellings: it is {field.type or 'the id'}.",
            hint="Give it a keyword sub-field by a revision, or declare fold='exact'.",
        )
    if not field.type:
        return
    _exact(field, path)
    plain = [one for one in wanted if one.isascii()]
    forms = [{"term": {field.name: _term(one, fold)}} for one in plain]
    for start in range(0, len(forms), _CLAUSES):
        yield _placed(field, {"bool": {"should": forms[start : start + _CLAUSES]}})
    yield _placed(field, {"regexp": {field.name: {"value": _NOT_ASCII, "flags": "NONE"}}})


def _term(text: str, fold: Fold) -> Mapping[str, Any]:
    return {"value": text} if fold is Fold.FORM else {"value": text, "case_insensitive": True}


def _placed(field: ExactField, found: Query) -> Query:
    return {"nested": {"path": field.nested, "query": found}} if field.nested else found


def _exact(field: ExactField, path: str) -> None:
    if field.problem:
        raise ErasureRefused(
            f"The field {path} can't be matched exactly: {field.problem}.",
            hint="Give it a keyword sub-field by a revision; see `gdpr_datamap check`.",
        )


def _elsewhere(locator: Locator) -> ErasureRefused:
    return ErasureRefused(
        f"An index can't be searched by {type(locator).__name__}.",
        hint="Use Key, Path, Array or Rows for indexes.",
    )


def among(found: Query, only: Sequence[Plain] | None) -> Query:
    """Narrow a query to some documents, by their `_id`; None leaves it as it is."""
    if only is None or found == NOTHING:
        return found
    return {"bool": {"must": [found], "filter": [{"ids": {"values": [str(key) for key in only]}}]}}


def leaves(properties: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the paths of all fields, objects included."""
    for name, definition in properties.items():
        yield f"{prefix}{name}"
        yield from leaves(definition.get("properties", {}), f"{prefix}{name}.")


def typed(every: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the fields of several mappings together, without objects, and the types that each has."""
    found: dict[str, set[str]] = {}
    for properties in every:
        for path, kind in _typed(properties, ""):
            found.setdefault(path, set()).add(kind)
    return {path: "|".join(sorted(kinds)) for path, kinds in found.items()}


def _typed(properties: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, definition in properties.items():
        if definition.get("properties"):
            yield from _typed(definition["properties"], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(definition.get("type", "object"))


def shape(query: Any) -> Any:
    """Leave the values out of a query."""
    if isinstance(query, Mapping):
        return {name: "…" if name == "values" else shape(part) for name, part in query.items()}
    if isinstance(query, list):
        is_values = all(not isinstance(part, Mapping) for part in query)
        return "…" if is_values else [shape(part) for part in query]
    return query


def _terms(properties: Mapping[str, Any], locator: Key | Path | Array | Rows, keys: Keys) -> Query:
    values = values_of(locator, keys)
    if not values:
        return NOTHING
    path = field_path(locator)
    if path == "_id":
        return {"ids": {"values": [str(value) for value in values]}}
    field = exact_field(properties, path, locator_type(locator))
    if not field.type:
        # An older index may not have the field yet: then it holds nothing of it either.
        return NOTHING
    _exact(field, path)
    return _placed(field, {"terms": {field.name: values}})
