"""
One revision file, read as a syntax tree: importing Alembic costs more than a whole run with nothing to do.

A file that computes one of the values (`revision = make_id()`) is imported, as Alembic would.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from accord.errors import InvalidRevision, RevisionUnreadable
from accord.revisions import parse_cross_dependencies
from accord.revisions.unreadable import unparsed
from accord.seam.types import Phase, StepKey

_NAMES = frozenset(
    {
        "revision",
        "down_revision",
        "depends_on",
        "branch_labels",
        "cross_dependencies",
        "phase",
        "irreversible",
        "locks",
    }
)
# Alembic before 0.2 took the id from the file's name, and still does where no id is declared.
_LEGACY_NAME = re.compile(r"([a-f0-9]+)\.py$")
_ILLEGAL = frozenset("@-+")
_SAYS_SO = "The revision says that it can't be undone."


@dataclass(frozen=True, kw_only=True)
class Script:
    """
    What a revision file declares.

    Attributes:
        path: The file.
        revision: Id of the revision.
        down_revisions: Revisions that it follows; several for a merge, none for a base.
        depends_on: Revisions, or labels of branches, that must be there besides.
        branch_labels: Names of the branch that starts here.
        cross_dependencies: Steps of other stores that must be applied before.
        phase: When it runs.
        irreversible: Why it can't be undone; empty when it can.
        locks: How long it waits for locks; None: as long as any step.
        title: First line of the docstring, Alembic's message.
    """

    path: Path
    revision: str
    down_revisions: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    branch_labels: tuple[str, ...] = ()
    cross_dependencies: tuple[StepKey, ...] = ()
    phase: Phase = Phase.EXPAND
    irreversible: str = ""
    locks: object = None
    title: str = ""


def read(path: Path) -> Script:
    """
    Read a revision file.

    Args:
        path: The file.

    Raises:
        RevisionUnreadable: It has a syntax error, or has to be imported and raises.
        InvalidRevision: What it declares does not fit.
    """
    tree = _parse(path)
    try:
        values: Mapping[str, object] = dict(_literals(tree))
    except _Computed:
        values = _imported(path)
    return _script(path, tree, values)


class _Computed(Exception):
    """A value of interest is no literal."""


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), filename=str(path))
    except SyntaxError as exc:
        raise unparsed(path, exc) from exc
    except (ValueError, OSError) as exc:
        raise RevisionUnreadable(
            f"{path} can't be read: {exc}.", hint="Correct the file and run again."
        ) from exc


def _literals(tree: ast.Module) -> Iterator[tuple[str, object]]:
    """
    Yield the names of interest with their values.

    Raises:
        _Computed: One of them is bound in any other way than by a plain assignment of a literal.
    """
    for statement in tree.body:
        targets, value = _assignment(statement)
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        wanted = _NAMES.intersection(names)
        if wanted and len(names) == len(targets):
            literal = _literal(value)
            yield from ((name, literal) for name in names if name in wanted)
        elif any(_binds(node) for node in _module_level(statement)):
            raise _Computed


def _assignment(statement: ast.stmt) -> tuple[list[ast.expr], ast.expr | None]:
    if isinstance(statement, ast.Assign):
        return statement.targets, statement.value
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        return [statement.target], statement.value
    return [], None


def _literal(value: ast.expr | None) -> object:
    try:
        return ast.literal_eval(value) if value is not None else None
    except (ValueError, TypeError, SyntaxError) as exc:
        raise _Computed from exc


def _module_level(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a statement without going into functions and classes, whose names are their own."""
    yield node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        return
    for child in ast.iter_child_nodes(node):
        yield from _module_level(child)


def _binds(node: ast.AST) -> bool:
    """Return whether a node may give a value to a name of interest."""
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return False
    if isinstance(node, ast.Name):
        return not isinstance(node.ctx, ast.Load) and node.id in _NAMES
    if isinstance(node, ast.alias):
        return node.name == "*" or (node.asname or node.name) in _NAMES
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node.name in _NAMES
    return False


def _imported(path: Path) -> Mapping[str, object]:
    spec = importlib.util.spec_from_file_location(re.sub(r"\W", "_", path.name), path)
    if spec is None or spec.loader is None:
        raise RevisionUnreadable(f"{path} can't be imported.", hint="Give the file a name that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as exc:
        raise RevisionUnreadable(
            f"{path} raises {type(exc).__name__} while it is imported: {exc}.",
            hint="Correct the file, or declare revision and down_revision as plain texts.",
        ) from exc
    return _values(module)


def from_module(path: Path, module: ModuleType) -> Script:
    """
    Describe a revision that Alembic has imported: one without a source file, perhaps.

    Args:
        path: The file.
        module: What it came to.

    Raises:
        InvalidRevision: What it declares does not fit.
    """
    tree = _parse(path) if path.suffix == ".py" else _stand_in(module)
    return _script(path, tree, _values(module))


def _stand_in(module: ModuleType) -> ast.Module:
    """Return a syntax tree that says as much as a module without source can."""
    source = f"{module.__doc__!r}\n" + ("def downgrade(): pass\n" if hasattr(module, "downgrade") else "")
    return ast.parse(source)


def _values(module: ModuleType) -> Mapping[str, object]:
    return {name: getattr(module, name) for name in _NAMES if hasattr(module, name)}


def _script(path: Path, tree: ast.Module, values: Mapping[str, object]) -> Script:
    return Script(
        path=path,
        revision=_revision(path, values),
        down_revisions=_ids(path, "down_revision", values),
        depends_on=_ids(path, "depends_on", values),
        branch_labels=_ids(path, "branch_labels", values),
        cross_dependencies=parse_cross_dependencies(values.get("cross_dependencies", ()), str(path)),
        phase=_phase(path, values.get("phase", Phase.EXPAND)),
        irreversible=_irreversible(path, values) or _refusal(tree),
        locks=values.get("locks"),
        title=_title(tree),
    )


def _revision(path: Path, values: Mapping[str, object]) -> str:
    legacy = _LEGACY_NAME.match(path.name)
    revision = values.get("revision", legacy[1] if legacy else None)
    if not (isinstance(revision, str) and revision) or _ILLEGAL.intersection(revision):
        raise InvalidRevision(
            f"{path} declares no usable revision id.",
            hint='Add a line such as revision = "ae1027a6acf"; it must not hold @, - or +.',
        )
    if "down_revision" not in values:
        raise InvalidRevision(
            f"{path} declares no down_revision.",
            hint="Add down_revision = the id of the revision before it, or None for the first.",
        )
    return revision


def _ids(path: Path, name: str, values: Mapping[str, object]) -> tuple[str, ...]:
    declared = values.get(name)
    items: Iterable[object] = declared if isinstance(declared, list | tuple | set | frozenset) else [declared]
    # A set has no order of its own; sorting keeps plans the same from run to run.
    found = sorted(items, key=str) if isinstance(declared, set | frozenset) else list(items)
    if any(not isinstance(item, str | None) for item in found):
        raise InvalidRevision(
            f"{path}: {name} holds {declared!r}.", hint=f"Write {name} as a text, a tuple of texts or None."
        )
    return tuple(dict.fromkeys(str(item) for item in found if item))


def _phase(path: Path, declared: object) -> Phase:
    try:
        return Phase(str(declared))
    except ValueError as exc:
        raise InvalidRevision(
            f"{path}: the phase {declared!r} does not exist.", hint=f"Phases: {', '.join(Phase)}."
        ) from exc


def _irreversible(path: Path, values: Mapping[str, object]) -> str:
    declared = values.get("irreversible", "")
    if isinstance(declared, str):
        return declared
    if isinstance(declared, bool) or declared is None:
        return _SAYS_SO if declared else ""
    raise InvalidRevision(
        f"{path}: irreversible holds {declared!r}.", hint="Write the reason as a text, or leave it out."
    )


def _refusal(tree: ast.Module) -> str:
    """Return why `downgrade` refuses: it isn't there, or it raises NotImplementedError."""
    downgrade = next((node for node in tree.body if _is_downgrade(node)), None)
    if downgrade is None:
        bound = any(
            isinstance(node, ast.Name | ast.alias) and "downgrade" in _names_of(node)
            for node in ast.walk(tree)
        )
        return "" if bound else "It has no downgrade()."
    body = downgrade.body if isinstance(downgrade, ast.FunctionDef) else []
    return next((_reason(node) for node in body if isinstance(node, ast.Raise) and _reason(node)), "")


def _is_downgrade(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "downgrade"


def _names_of(node: ast.Name | ast.alias) -> tuple[str, ...]:
    if isinstance(node, ast.Name):
        return (node.id,)
    # A star import may bring a downgrade along; only running it would show.
    return ("downgrade",) if node.name == "*" else (node.asname or node.name,)


def _reason(node: ast.Raise) -> str:
    call = node.exc if isinstance(node.exc, ast.Call) else None
    name = call.func if call else node.exc
    if not (isinstance(name, ast.Name) and name.id == "NotImplementedError"):
        return ""
    said = call.args[0] if call and call.args else None
    if isinstance(said, ast.Constant) and isinstance(said.value, str) and said.value:
        return said.value
    return "Its downgrade() raises NotImplementedError."


def _title(tree: ast.Module) -> str:
    return next(iter((ast.get_docstring(tree) or "").strip().splitlines()), "").strip()
