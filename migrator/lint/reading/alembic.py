"""Alembic's revisions as subjects: what `upgrade` calls, by its syntax alone."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from accord.seam.types import Step
from migrator.foretelling.acts import Act, Kind
from migrator.lint.reading import written
from migrator.lint.reading.alembic_calls import acts_of
from migrator.lint.reading.alembic_columns import Arguments, named_by
from migrator.lint.reading.functions import tree_of
from migrator.lint.reading.revisions import subject_of
from migrator.lint.subject import CutName, Family, Function, Sight, Spot, Subject, Unseen

_TOLD = 60


def read(steps: Sequence[Step], *, is_a_release: bool) -> Iterator[Subject]:
    """
    Read revisions.

    Args:
        steps: What to look at.
        is_a_release: Whether they come out together: their tables are in nobody's use yet.
    """
    trees = [tree_of(step.source.text) for step in steps]
    made = [frozenset(_made(tree)) for tree in trees]
    together = frozenset[str]().union(*made) if is_a_release else frozenset[str]()
    for step, tree, own in zip(steps, trees, made, strict=True):
        yield _subject(step, tree, own | together)


def _subject(step: Step, tree: ast.Module, fresh: Collection[str]) -> Subject:
    upgrade = _function(tree, "upgrade")
    found = list(_Walk(fresh).through(upgrade)) if upgrade is not None else []
    spot = Spot(line=upgrade.lineno, end=upgrade.lineno, what="upgrade") if upgrade is not None else Spot()
    return replace(
        subject_of(step),
        family=Family.ALEMBIC,
        sights=[one for one in found if isinstance(one, Sight)],
        unseen=[one for one in found if isinstance(one, Unseen)],
        cut_names=[one for one in found if isinstance(one, CutName)],
        functions=[Function(node=upgrade, spot=spot)] if _asks_by_itself(upgrade) else [],
    )


def _function(tree: ast.Module, name: str) -> ast.FunctionDef | None:
    return next((one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == name), None)


def _made(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(_function(tree, "upgrade") or tree):
        if isinstance(node, ast.Call) and named_by(node.func) == "create_table" and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant):
                yield str(first.value)


def _asks_by_itself(upgrade: ast.FunctionDef | None) -> bool:
    """Return whether it sends through a connection of its own, whatever that may be."""
    names = (named_by(one.func) for one in ast.walk(upgrade) if isinstance(one, ast.Call)) if upgrade else ()
    return "get_bind" in names


@dataclass
class _Walk:
    """
    Goes through a function, statement by statement.

    Attributes:
        fresh: Tables that are in nobody's use yet.
        batches: By the name of a batch, its table.
        in_transaction: Whether what comes next runs inside one.
        number: How many calls came before.
    """

    fresh: Collection[str]
    batches: dict[str, ast.expr] = field(default_factory=dict)
    in_transaction: bool = True
    number: int = 0

    def through(self, node: ast.AST) -> Iterator[Sight | Unseen | CutName]:
        """Yield what is done."""
        if isinstance(node, ast.With):
            yield from self._within(node)
            return
        if isinstance(node, ast.Call) and self._is_operation(node):
            yield from self._of_call(node)
        for child in ast.iter_child_nodes(node):
            yield from self.through(child)

    def _within(self, node: ast.With) -> Iterator[Sight | Unseen | CutName]:
        before = self.in_transaction
        for item in node.items:
            call = item.context_expr
            word = named_by(call.func) if isinstance(call, ast.Call) else ""
            self.in_transaction = self.in_transaction and word != "autocommit_block"
            if word == "batch_alter_table" and isinstance(call, ast.Call) and call.args:
                self.batches[getattr(item.optional_vars, "id", "")] = call.args[0]
        for child in node.body:
            yield from self.through(child)
        self.in_transaction = before

    def _is_operation(self, node: ast.Call) -> bool:
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        return isinstance(owner, ast.Name) and (owner.id == "op" or owner.id in self.batches)

    def _of_call(self, node: ast.Call) -> Iterator[Sight | Unseen | CutName]:
        self.number += 1
        name = named_by(node.func)
        line = " ".join(ast.unparse(node).split())
        told = line if len(line) <= _TOLD else f"{line[:_TOLD]}…"
        spot = Spot(line=node.lineno, end=node.end_lineno or node.lineno, what=told)
        if name == "execute":
            yield from self._of_sql(node, spot)
            return
        try:
            acts = acts_of(name, Arguments(self._placed(node, name), node.keywords))
            found = None if acts is None else list(acts)
        except LookupError as exc:
            yield Unseen(spot=spot, why=f"{exc.args[0]} is computed")
            return
        if found is None:
            yield Unseen(spot=spot, why=f"what op.{name} does isn't known")
            return
        yield from (self._sight(act, spot) for act in found)

    def _placed(self, node: ast.Call, name: str) -> Sequence[ast.expr]:
        """Put the table of a batch where the operation itself would have it."""
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        table = self.batches.get(owner.id) if isinstance(owner, ast.Name) else None
        if table is None:
            return node.args
        first = 1 if name.startswith(("create_", "drop_index", "drop_constraint")) else 0
        return [*node.args[:first], table, *node.args[first:]]

    def _of_sql(self, node: ast.Call, spot: Spot) -> Iterator[Sight | Unseen | CutName]:
        act = _of_expression(node.args[0]) if node.args else None
        if act is not None:
            yield self._sight(act, spot)
            return
        sql = _text(node.args[0]) if node.args else None
        if sql is None:
            yield Unseen(spot=spot, why="its SQL is computed")
            return
        for one in written.read(sql, spot):
            if isinstance(one, written.Written):
                yield self._sight(one.act, one.spot, together=one.together)
            else:
                yield one

    def _sight(self, act: Act, spot: Spot, *, together: bool = False) -> Sight:
        return Sight(
            act=act,
            spot=spot,
            number=self.number,
            fresh=act.table.rpartition(".")[2] in self.fresh,
            old_type=act.name if act.kind is Kind.TYPE else "",
            in_transaction=self.in_transaction or together,
        )


def _of_expression(node: ast.expr) -> Act | None:
    """Return what an expression such as `table.update().where(...)` does; its table isn't known."""
    words = []
    while isinstance(node, ast.Call | ast.Attribute):
        words += [node.attr] if isinstance(node, ast.Attribute) else []
        node = node.func if isinstance(node, ast.Call) else node.value
    word = next((one for one in words if one in ("insert", "update", "delete")), "")
    if not word:
        return None
    bounded = word == "insert" or "where" in words
    return Act(
        kind=Kind.UPDATE if word == "update" else Kind.ROWS, name=word, where="WHERE" if bounded else ""
    )


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Call) and named_by(node.func) in ("text", "DDL") and node.args:
        node = node.args[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
