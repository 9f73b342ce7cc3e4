"""The file as its next reader finds it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from accord.words import counted
from migrator.lint.finding import Severity
from migrator.lint.rule import Found, Rule
from migrator.lint.subject import Spot, Subject

_NAME = re.compile(r"^(\d{4,}|[0-9a-f]{8,})(_[a-z0-9]+)+$")
_GENERATED = re.compile(r"^\d{4}_(auto|alter|remove|rename|delete)_.*\d{6,}|^\d{4}_auto_")


def _name(subject: Subject) -> Iterator[Found]:
    stem = subject.path.stem
    if _GENERATED.match(stem):
        yield Found(text=f"The name {stem} was made by a machine and says nothing.")
    elif not _NAME.match(stem):
        yield Found(text=f"The name {stem} is not of the form 0001_what_it_does.")


def _docstring(subject: Subject) -> Iterator[Found]:
    if not (ast.get_docstring(subject.tree) or "").strip():
        yield Found(text="The file has no docstring.")


def _owner(subject: Subject) -> Iterator[Found]:
    if not any(_names_owner(node) for node in subject.nodes.of(ast.Assign)):
        yield Found(text="Nobody owns it.")


def _names_owner(node: ast.Assign) -> bool:
    named = any(isinstance(target, ast.Name) and target.id.lower() == "owner" for target in node.targets)
    return named and isinstance(node.value, ast.Constant) and bool(node.value.value)


def _leaves(subject: Subject) -> Iterator[Found]:
    if subject.rivals:
        others = ", ".join(subject.rivals)
        yield Found(text=f"It is one of several last migrations of its app, beside {others}.")


def _code(subject: Subject) -> Iterator[Found]:
    if subject.beside:
        first, *more = subject.beside
        others = f" and {counted(len(more), 'more file')}" if more else ""
        yield Found(text=f"Code of its app changes together with it: {first}{others}.")


_SECRET = re.compile(
    r"AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY-----|gh[pousr]_[A-Za-z0-9]{36}|"
    r"xox[abpr]-[A-Za-z0-9-]{10,}|"
    r"sk_live_[A-Za-z0-9]{16,}|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}|://[^/\s:@]+:[^/\s:@{}]+@"
)
_NAMED_SECRET = re.compile(
    r"(password|passwd|secret|api_?key|access_?key|private_?key|token)$", re.IGNORECASE
)


def _secrets(subject: Subject) -> Iterator[Found]:
    nodes = subject.nodes
    found: list[ast.Constant | ast.Assign | ast.keyword] = [*nodes.of(ast.Constant)]
    found += [*nodes.of(ast.Assign), *nodes.of(ast.keyword)]
    yield from (_secret(node) for node in found if _is_secret(node))


def _is_secret(node: ast.Constant | ast.Assign | ast.keyword) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and _SECRET.search(node.value) is not None
    targets = node.targets if isinstance(node, ast.Assign) else []
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    names += [node.arg or ""] if isinstance(node, ast.keyword) else []
    return any(_NAMED_SECRET.search(name) for name in names) and _is_text(node.value)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(node.value)


def _secret(node: ast.Constant | ast.Assign | ast.keyword) -> Found:
    # The text is not repeated: a report of lint goes to many places.
    spot = Spot(line=node.lineno, end=node.end_lineno or node.lineno)
    return Found(text="This looks like a secret, and stays in the history of the repository.", spot=spot)


RULES = (
    Rule(
        id="file-name",
        title="A migration's name says what it does.",
        safe="Name it 0007_what_it_does before it is applied anywhere.",
        check=_name,
        severity=Severity.WARNING,
    ),
    Rule(
        id="file-docstring",
        title="A migration says in a sentence what it is for.",
        safe="Write a docstring at the top of the file.",
        check=_docstring,
        severity=Severity.WARNING,
    ),
    Rule(
        id="file-owner",
        title="A migration has an owner.",
        safe='Write owner = "name of the team" into the class.',
        check=_owner,
        severity=Severity.OFF,
    ),
    Rule(
        id="several-leaves",
        title="An app has one last migration.",
        safe="Merge them: manage.py makemigrations --merge.",
        check=_leaves,
    ),
    Rule(
        id="code-beside",
        title="A migration is released apart from the code that needs it.",
        safe="Commit it alone, and deploy it before that code. Models stay beside it.",
        check=_code,
        severity=Severity.OFF,
    ),
    Rule(
        id="secret",
        title="No secret stands in a migration.",
        safe="Read it from the settings while the migration runs, and change the secret: it is known by now.",
        check=_secrets,
    ),
)
