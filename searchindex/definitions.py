"""
Comparing what a revision declares with what a server says it has.

Servers answer in their own words: settings come back as text, nested where dots were
written, and a mapping leaves out what equals its default. Here both sides are brought into
one form. What still differs may be another spelling that only the server knows; the store
then asks the server itself (see :meth:`searchindex.operations.base.Context.canonical`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Body = Mapping[str, Any]

# What a server may leave out of a mapping that it returns, because it is the default.
_DEFAULTS: Mapping[str, str] = {
    "boost": "1.0",
    "coerce": "true",
    "doc_values": "true",
    "dynamic": "true",
    "eager_global_ordinals": "false",
    "enabled": "true",
    "ignore_malformed": "false",
    "ignore_z_value": "true",
    "index": "true",
    "index_options": "positions",
    "norms": "true",
    "similarity": "BM25",
    "store": "false",
    "type": "object",
}


def flat_settings(settings: Body) -> dict[str, Any]:
    """
    Bring index settings into the form `{"index.number_of_shards": "1"}`.

    Args:
        settings: Settings as a person or a server writes them, nested or with dots.

    Returns:
        Flat names that begin with `index.`, values as text, lists of texts or None.
    """
    flat = dict(_flatten(settings, ""))
    return {name if name.startswith("index.") else f"index.{name}": value for name, value in flat.items()}


def _flatten(value: object, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flatten(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        yield name, [as_text(item) for item in value]
    else:
        yield name, None if value is None else as_text(value)


def as_text(value: object) -> str:
    """Write a scalar as the servers do: `True` is `true`, 1 is `1`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return str(value)


def settings_differences(declared: Body, live: Body) -> list[str]:
    """
    Name the settings that are declared and differ.

    Args:
        declared: Settings of a revision.
        live: Settings that a server returned; more of them are no difference.
    """
    wanted, found = flat_settings(declared), flat_settings(live)
    return [
        f"setting {name}: declared {_show(value)}, found {_show(found.get(name))}"
        for name, value in sorted(wanted.items())
        if _unlist(value) != _unlist(found.get(name))
    ]


def _unlist(value: object) -> object:
    """Take the only value out of a list of one: to a server the two are the same."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def mapping_differences(declared: Body, live: Body, place: str = "", *, closed: bool = True) -> list[str]:
    """
    Name what a mapping declares and a live one has not.

    Args:
        declared: Mapping of a revision (with `properties`), or a part of one.
        live: The same as a server returned it.
        place: Path of the part, for the text.
        closed: Further fields are a difference where the declaration forbids them by
            `dynamic`. Never where the declaration is meant to add to what is there.
    """
    found = list(_missing(declared, live, place, closed=closed))
    if closed and as_text(declared.get("dynamic", "")) in ("false", "strict"):
        extra = sorted(set(live.get("properties", ())) - set(declared.get("properties", ())))
        found += [f"field {_join(place, name)}: not declared, but there" for name in extra]
    return found


def _missing(declared: Body, live: Body, place: str, *, closed: bool) -> Iterator[str]:
    for key, value in declared.items():
        if key in ("properties", "fields"):
            yield from _missing_fields(value, live.get(key, {}), place, closed=closed)
        elif not same_value(value, live.get(key, _DEFAULTS.get(key)), key):
            what = f"field {place}: {key}" if place else f"mapping: {key}"
            yield f"{what} declared {_show(value)}, found {_show(live.get(key))}"


def _missing_fields(declared: Body, live: Body, place: str, *, closed: bool) -> Iterator[str]:
    for name, field in declared.items():
        if name not in live:
            yield f"field {_join(place, name)}: missing"
        else:
            yield from mapping_differences(field, live[name], _join(place, name), closed=closed)


def same_value(declared: object, live: object, key: str = "") -> bool:
    """
    Return whether two values mean the same; numbers and booleans may be text.

    Args:
        declared: Of a revision. A mapping need only be contained in the live one.
        live: Of a server.
        key: Name of the value, for its default.
    """
    if isinstance(declared, Mapping) and isinstance(live, Mapping):
        return all(same_value(value, live.get(name), name) for name, value in declared.items())
    if isinstance(declared, list | tuple) or isinstance(live, list | tuple):
        ours, theirs = _as_list(declared), _as_list(live)
        return len(ours) == len(theirs) and all(map(same_value, ours, theirs))
    if live is None:
        return declared is None or as_text(declared) == _DEFAULTS.get(key)
    return as_text(declared) == as_text(live) or _same_number(declared, live)


def _as_list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _same_number(one: object, other: object) -> bool:
    try:
        return float(str(one)) == float(str(other))
    except ValueError:
        return False


def merged(under: Body, over: Body) -> dict[str, Any]:
    """
    Lay one mapping over another, as a server does when fields are added.

    Args:
        under: What was there.
        over: What is added; wins.
    """
    result = dict(under)
    for key, value in over.items():
        before = result.get(key)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        result[key] = merged(before, value) if both else value  # type: ignore[arg-type]  # `both` says so
    return result


def completed(declared: Body, live: Body) -> dict[str, Any]:
    """
    Return a mapping as it has to be sent so that what it does not name stays.

    A server keeps the fields that a request leaves out. Of a field that it names, and of `_meta`, it resets
    what the request does not say (`ignore_above`, `search_analyzer`).

    Args:
        declared: Mapping of a revision, or a part of one.
        live: The same part as a server returned it.
    """
    whole = dict(declared)
    if isinstance(declared.get("_meta"), Mapping):
        whole["_meta"] = {**(live.get("_meta") or {}), **declared["_meta"]}
    for group in _INNER.intersection(declared):
        there = live.get(group, {})
        whole[group] = {name: _whole(field, there.get(name)) for name, field in declared[group].items()}
    return whole


_INNER = frozenset({"properties", "fields"})


def _whole(declared: Body, live: Body | None) -> Body:
    # Of another type nothing is carried over: the server tells best what can't be changed.
    if live is None or declared.get("type", "object") != live.get("type", "object"):
        return declared
    own = {name: value for name, value in live.items() if name not in _INNER}
    return {**own, **completed(declared, live)}


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _show(value: object) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
