"""
Conventions that an environment may ask of pending steps. Pure: files are read, nothing else.

Only the project's own steps are looked at, and only on the way forward; what a package brings
along follows the conventions of its makers.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from accord.seam.types import Step, StepKey
from migrator.errors import ConventionBroken
from migrator.relational.loader import SUITE

_NAME = re.compile(r"^\d{4}(_[a-z0-9]+)+$")
_GENERATED = re.compile(r"^\d{4}_auto_")
_NUMBER = re.compile(r"^(\d+)_")


@dataclass(frozen=True, kw_only=True)
class Violation:
    """
    A convention that a step breaks.

    Attributes:
        key: The step.
        rule: The convention.
        text: What is wrong, with the remedy.
    """

    key: StepKey
    rule: str
    text: str


@dataclass(frozen=True)
class RuleContext:
    """
    What a rule may look at.

    Attributes:
        step: The step.
        applied: What the ledgers hold.
    """

    step: Step
    applied: Collection[StepKey]

    @cached_property
    def tree(self) -> ast.Module:
        """The file, parsed; empty where it can't be."""
        try:
            return ast.parse(self.step.source.text)
        except (SyntaxError, ValueError):
            return ast.Module(body=[], type_ignores=[])

    def stated(self, name: str) -> str:
        """Return the text that the module, or a class in it, gives to a name."""
        bodies = [self.tree.body, *(node.body for node in self.tree.body if isinstance(node, ast.ClassDef))]
        return next((text for body in bodies for text in _texts(body, name)), "")


def broken(rules: Iterable[str], steps: Sequence[Step], applied: Collection[StepKey]) -> Sequence[Violation]:
    """
    Look for conventions that steps break.

    Args:
        rules: Names of the conventions.
        steps: Pending steps.
        applied: What the ledgers hold.

    Returns:
        Every violation, in the order of the steps.
    """
    readings = [RuleContext(step, applied) for step in steps if _is_own(step)]
    chosen = {rule: _CHECKS[rule] for rule in rules}
    return [
        Violation(key=reading.step.key, rule=rule, text=text)
        for reading in readings
        for rule, check in chosen.items()
        if (text := check(reading))
    ]


def refuse_broken(rules: Iterable[str], steps: Sequence[Step], applied: Collection[StepKey]) -> None:
    """
    Make sure that steps keep the conventions.

    Raises:
        ConventionBroken: Some don't; names all of them.
    """
    violations = broken(rules, steps, applied)
    if violations:
        lines = "".join(f"\n  {item.key}: {item.text} ({item.rule})" for item in violations)
        raise ConventionBroken(
            f"Pending steps break {len(violations)} conventions of this environment:{lines}",
            hint="Mend the files; docs/reference/policy.md explains each convention.",
        )


def _is_own(step: Step) -> bool:
    return not (step.foundation or step.third_party or step.key.app in SUITE)


def _name(reading: RuleContext) -> str:
    # Alembic's revisions have identifiers that Alembic chose; there, the file's name speaks.
    names = (reading.step.key.name, reading.step.source.path.stem)
    if any(_GENERATED.match(name) for name in names):
        return "the name was made by a machine and says nothing: give it one that does"
    if not any(_NAME.match(name) for name in names):
        return "the name is not of the form 0001_what_it_does"
    return ""


def _version_order(reading: RuleContext) -> str:
    key, number = reading.step.key, _number(reading.step.key)
    if number is None or reading.step.replaces:
        return ""
    same = (other for other in reading.applied if (other.store, other.app) == (key.store, key.app))
    later = [other.name for other in same if (_number(other) or 0) > number]
    return f"{max(later)} is applied already: give this one a later number" if later else ""


def _number(key: StepKey) -> int | None:
    match = _NUMBER.match(key.name)
    return int(match[1]) if match else None


def _docstring(reading: RuleContext) -> str:
    said = (ast.get_docstring(reading.tree) or "").strip()
    return "" if said else "the file has no docstring: say in a sentence what it is for"


def _owner(reading: RuleContext) -> str:
    return (
        "" if reading.stated("owner") else 'nobody owns it: write owner = "name of the team" into the class'
    )


def _reversible(reading: RuleContext) -> str:
    if not reading.step.irreversible or reading.stated("irreversible"):
        return ""
    return 'it can\'t be undone: give it a way back, or say why there is none: irreversible = "..."'


def _texts(body: Iterable[ast.stmt], name: str) -> Iterator[str]:
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        named = any(isinstance(target, ast.Name) and target.id.lower() == name for target in targets)
        value = getattr(node, "value", None)
        if named and isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value.strip():
            yield value.value


_CHECKS: Mapping[str, Callable[[RuleContext], str]] = {
    "name": _name,
    "version_order": _version_order,
    "docstring": _docstring,
    "owner": _owner,
    "reversible": _reversible,
}
