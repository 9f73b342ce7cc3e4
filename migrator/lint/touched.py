"""Which tables steps are about, and of what in them nobody can tell."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.apps import apps

from accord.seam.stores import Store
from accord.seam.types import Step
from migrator.foretelling.acts import Act, Kind
from migrator.lint import looking
from migrator.lint.looking import Wanted
from migrator.lint.reading.functions import sent_by
from migrator.lint.subject import Function, Subject

_TARGETED = (Kind.FOREIGN_KEY, Kind.ADD_COLUMN)
"""Acts that lock the table that they point at, too."""


@dataclass(frozen=True, kw_only=True)
class Touched:
    """
    What steps are about.

    Attributes:
        tables: Names of tables, as SQL without quotes has them; some aren't there yet, or not any more.
        unknown: What of the project's own steps nobody can tell it of, a part of a sentence each.
    """

    tables: frozenset[str]
    unknown: tuple[str, ...]


def touched(store: Store, steps: Sequence[Step]) -> Touched:
    """
    Read which tables steps of a store are about: by operations, by SQL, and by the models of their code.

    Args:
        store: Their store.
        steps: The steps.

    Raises:
        RevisionError: A file can't be used.
    """
    wanted = Wanted(apps={step.key.app for step in steps}, keys={step.key for step in steps})
    found = list(looking.subjects_of({steps[0].key.store: store}, steps, wanted)) if steps else []
    # What packages brought nobody here can write otherwise, and mostly its tables are new.
    own = {step.key for step in steps if looking.is_own(step)}
    return Touched(
        tables=frozenset(name for subject in found for name in _tables(subject)),
        unknown=tuple(
            dict.fromkeys(words for subject in found if subject.key in own for words in _unknown(subject))
        ),
    )


def _tables(subject: Subject) -> Iterator[str]:
    for sight in subject.sights:
        yield from _of_act(sight.act)
    for function in subject.functions:
        yield from _models_of(function)


def _of_act(act: Act) -> Iterator[str]:
    targets = [act.target] if act.kind in _TARGETED else []
    yield from (name for name in (act.table, *targets) if name)


def _models_of(function: Function) -> Iterator[str]:
    """Yield the tables of the models that a function asks for by name, as they are called now and usually."""
    for call in _calls(function, "get_model"):
        named = _named(call)
        if named is not None:
            yield f"{named[0]}_{named[1].lower()}"
            try:
                yield apps.get_model(*named)._meta.db_table
            except LookupError:
                continue


def _unknown(subject: Subject) -> Iterator[str]:
    yield from (f"{subject.key}: {one.spot.what} ({one.why})" for one in subject.unseen)
    for function in subject.functions:
        if not _is_told(function):
            yield f"{subject.key}: {getattr(function.node, 'name', function.spot.what)}"


def _is_told(function: Function) -> bool:
    """Return whether all that a function asks for or sends is written out; one without calls does nothing."""
    models, sent = list(_calls(function, "get_model")), list(_calls(function, "execute"))
    if function.node is not None and not function.nodes.of(ast.Call):
        return True
    written = len(list(sent_by(function))) == len(sent)
    return bool(models or sent) and written and None not in map(_named, models)


def _calls(function: Function, method: str) -> Iterator[ast.Call]:
    for call in function.nodes.of(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr == method:
            yield call


def _named(call: ast.Call) -> tuple[str, str] | None:
    """Return the app and the model of `get_model("shop", "Item")` or `get_model("shop.Item")`."""
    words: Mapping[str, ast.expr] = {str(one.arg): one.value for one in call.keywords}
    given = [*call.args, *(words[name] for name in ("app_label", "model_name") if name in words)]
    texts = [one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    app, _, model = ".".join(texts).partition(".")
    return (app, model) if model and len(texts) == len(given) else None
