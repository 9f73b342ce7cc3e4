"""Python that migrations run: in bounded batches, on the models of its own time."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from migrator.lint.finding import Severity
from migrator.lint.rule import Found, Rule
from migrator.lint.subject import Family, Function, Spot, Subject

_BOUNDED = frozenset(
    {"iterator", "first", "last", "count", "exists", "in_bulk", "dates", "datetimes", "explain"}
)
_QUERIES = frozenset(
    {
        "all",
        "filter",
        "exclude",
        "order_by",
        "values",
        "values_list",
        "using",
        "only",
        "defer",
        "select_related",
        "annotate",
    }
)
_NARROWS = frozenset({"filter", "exclude", "get", "in_bulk"})


def _calls(subject: Subject) -> Iterator[tuple[Function, ast.Call]]:
    return ((function, node) for function in subject.functions for node in function.nodes.of(ast.Call))


def _at(subject: Subject, function: Function, node: ast.AST) -> Spot:
    """Return where a node stands; where its function is written in another file, the operation."""
    line = getattr(node, "lineno", 1)
    own = function.is_of(subject.nodes)
    return Spot(line=line, end=line, what=function.spot.what) if own else function.spot


def _chain(node: ast.expr) -> list[str]:
    """Return the names of the calls and attributes that an expression strings together, the last first."""
    names: list[str] = []
    while isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute):
            names.append(node.attr)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            names.append("[:]")
        node = node.func if isinstance(node, ast.Call) else node.value
    return names


def _whole_loops(subject: Subject) -> Iterator[Found]:
    for function in subject.functions:
        loops = [one.iter for one in function.nodes.of(ast.For)]
        for loop in (*loops, *(one.iter for one in function.nodes.of(ast.comprehension))):
            chain = _chain(loop)
            is_query = "objects" in chain and chain[0] in _QUERIES
            if is_query and not _BOUNDED.intersection(chain) and "[:]" not in chain:
                text = "All rows are loaded at once to loop over them."
                yield Found(text=text, spot=_at(subject, function, loop))


def _whole_writes(subject: Subject) -> Iterator[Found]:
    for function, node in _calls(subject):
        if isinstance(node.func, ast.Attribute):
            chain = _chain(node.func)
            whole = "objects" in chain and not _NARROWS.intersection(chain)
            if node.func.attr in ("update", "delete") and whole:
                text = f"One statement {node.func.attr}s all rows, and keeps them locked until it ends."
                yield Found(text=text, spot=_at(subject, function, node))


def _endless(subject: Subject) -> Iterator[Found]:
    for node in subject.nodes.of(ast.While):
        always = isinstance(node.test, ast.Constant) and bool(node.test.value)
        if always and not any(isinstance(one, ast.Break | ast.Return | ast.Raise) for one in ast.walk(node)):
            yield Found(text="This loop never ends.", spot=Spot(line=node.lineno, end=node.lineno))


def _imported(subject: Subject) -> Iterator[Found]:
    if subject.family is not Family.DJANGO:
        return
    imported = dict(pair for node in subject.nodes.of(ast.ImportFrom) for pair in _models_of(node))
    used = {node.id for function in subject.functions for node in function.nodes.of(ast.Name)}
    for name in sorted(used & set(imported)):
        text = (
            f"{name} is the model of today, which later code changes; this runs on the "
            "tables of its own time."
        )
        yield Found(text=text, spot=Spot(line=imported[name], end=imported[name]))


def _models_of(node: ast.AST) -> Iterator[tuple[str, int]]:
    if (
        isinstance(node, ast.ImportFrom)
        and (node.module or "").split(".")[-1] == "models"
        and node.module != "django.db.models"
    ):
        yield from ((one.asname or one.name, node.lineno) for one in node.names if one.name[:1].isupper())


def _arguments(subject: Subject) -> Iterator[Found]:
    if subject.family is not Family.DJANGO:
        return
    for function in subject.functions:
        node = function.node
        if node is None:
            continue
        names = [one.arg for one in node.args.args]
        if names[:1] == ["schema_editor"] or names[1:2] == ["apps"]:
            text = "The arguments stand the wrong way round: Django hands over apps, then schema_editor."
            yield Found(text=text, spot=_at(subject, function, node))


def _get_model(subject: Subject) -> Iterator[Found]:
    if subject.family is not Family.DJANGO:
        return
    for function, node in _calls(subject):
        if _chain(node.func)[:1] == ["get_model"]:
            if isinstance(node.func, ast.Attribute) and not isinstance(node.func.value, ast.Name):
                continue
            first = node.args[0] if node.args else None
            alone = len(node.args) == 1 and not node.keywords
            if alone and isinstance(first, ast.Constant) and "." not in str(first.value):
                text = f"get_model({str(first.value)!r}) names no app."
                yield Found(text=text, spot=_at(subject, function, node))


_SENDS = frozenset({"execute", "executemany", "raw", "RunSQL", "text"})


def _built_sql(subject: Subject) -> Iterator[Found]:
    for node in subject.nodes.of(ast.Call):
        if node.args and _name_of(node.func) in _SENDS and _is_built(node.args[0]):
            text = "SQL is put together from texts, so that a value can become a statement."
            yield Found(text=text, spot=Spot(line=node.lineno, end=node.end_lineno or node.lineno))


def _name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_built(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        return not (_is_constant(node.left) and _is_constant(node.right))
    return isinstance(node, ast.Call) and _name_of(node.func) == "format"


def _is_constant(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_constant(node.left) and _is_constant(node.right)
    return isinstance(node, ast.Constant)


RULES = (
    Rule(
        id="rows-all-loaded",
        title="Rows are read in bounded batches.",
        safe=(
            "Loop over .iterator(chunk_size=2000), or have Backfill of migrator.operations hand over some "
            "rows at a time."
        ),
        check=_whole_loops,
    ),
    Rule(
        id="rows-all-written",
        title="Rows are written in bounded batches.",
        safe=(
            "Go through the primary key in batches that commit one by one, in a migration "
            "with atomic = False: Backfill of migrator.operations does."
        ),
        check=_whole_writes,
    ),
    Rule(
        id="loop-without-end",
        title="A loop ends.",
        safe="Let it stop once nothing is left.",
        check=_endless,
    ),
    Rule(
        id="model-imported",
        title="A migration works on the models of its own time.",
        safe='apps.get_model("app", "Model") within the function.',
        check=_imported,
    ),
    Rule(
        id="function-arguments",
        title="A function of RunPython takes apps, then schema_editor.",
        safe="def forwards(apps, schema_editor).",
        check=_arguments,
    ),
    Rule(
        id="model-without-app",
        title="get_model names the app.",
        safe='apps.get_model("app", "Model").',
        check=_get_model,
    ),
    Rule(
        id="sql-built",
        title="No SQL is put together from texts.",
        safe=(
            "Write the statement out, and hand values over as parameters; names through "
            "connection.ops.quote_name."
        ),
        check=_built_sql,
        severity=Severity.WARNING,
    ),
)
