"""The files of all apps, each with the version that its text is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from django.apps import apps

from accord.errors import InvalidRevision, RevisionUnreadable
from migrator.errors import CyclicDependency, MissingDependency
from migrator.objects.source import ObjectSource, parse

FOLDER = "database_objects"
_LENGTH = 10
Name = tuple[str, str]
"""App and name of a file."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """
    The text that a file has today.

    Attributes:
        source: The text.
        digest: Of the text, and of the versions that it depends on: it is made again when they are.
        needs: Objects that it depends on.
    """

    source: ObjectSource
    digest: str
    needs: tuple[Name, ...]


def read(store: str, *, is_default: bool) -> Mapping[Name, Version]:
    """
    Read the files of one store.

    Args:
        store: Its alias.
        is_default: Whether files that name no store belong to it.

    Returns:
        Versions by app and file, those that others depend on first.

    Raises:
        RevisionUnreadable: A file can't be read.
        InvalidRevision: One says nothing that could be used, or two make the same object.
        MissingDependency: One depends on an object that no file of the store makes.
        CyclicDependency: They depend on each other in a circle.
    """
    own = [one for one in _sources() if one.store == store or (is_default and not one.store)]
    sources = {(one.app, one.name): one for one in own}
    _refuse_twins(own)
    needs = {name: tuple(_needs(source, sources)) for name, source in sources.items()}
    found: dict[Name, Version] = {}
    for name in _in_order(needs, sources):
        below = [found[other].digest for other in sorted(needs[name])]
        digest = _digest(sources[name].text, below)
        found[name] = Version(source=sources[name], digest=digest, needs=needs[name])
    return found


def _sources() -> Iterator[ObjectSource]:
    for config in apps.get_app_configs():
        for path in sorted(Path(config.path, FOLDER).glob("*.sql")):
            yield parse(_text(path), app=config.label, name=path.stem, path=path)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise RevisionUnreadable(f"{path} can't be read: {exc}.", hint="Save it as UTF-8.") from exc


def _refuse_twins(sources: Sequence[ObjectSource]) -> None:
    seen: dict[tuple[str, str], ObjectSource] = {}
    for source in sources:
        other = seen.setdefault((source.kind.word, source.identity), source)
        if other is not source:
            raise InvalidRevision(
                f"{other.path} and {source.path} make the same {source.words}.", hint="Keep one of them."
            )


def _needs(source: ObjectSource, sources: Mapping[Name, ObjectSource]) -> Iterator[Name]:
    for said in source.depends:
        app, dot, name = said.partition(".")
        needed = (app, name) if dot else (source.app, said)
        if needed not in sources:
            raise MissingDependency(
                f"{source.path} depends on {said}, which no file of its store makes.",
                hint=f"Name a file of {FOLDER}/ without its ending; a migration belongs into “-- after:”.",
            )
        if sources[needed].removed:
            raise InvalidRevision(
                f"{source.path} depends on {said}, which {sources[needed].path} removes.",
                hint="Let it do without that, or remove it as well.",
            )
        yield needed


def _in_order(needs: Mapping[Name, tuple[Name, ...]], sources: Mapping[Name, ObjectSource]) -> Sequence[Name]:
    try:
        return list(TopologicalSorter(dict(sorted(needs.items()))).static_order())
    except CycleError as exc:
        circle = [sources[name].path for name in exc.args[1]]
        raise CyclicDependency(
            f"Objects depend on each other in a circle: {', '.join(map(str, circle))}.",
            hint="Take one “-- depends:” out.",
        ) from exc


def _digest(text: str, below: Sequence[str]) -> str:
    content = "\0".join(["\n".join(text.splitlines()), *below])
    return hashlib.sha256(content.encode()).hexdigest()[:_LENGTH]
