"""The reference of settings against what the code reads."""

from __future__ import annotations

from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import pytest

from accord.approvals.quorum import ONE
from accord.conf import AccordSettings
from gdpr.erasure.policy import NEVER, ErasurePolicy

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "settings.md"


@pytest.mark.parametrize("field", fields(AccordSettings), ids=lambda field: field.name)
def test_every_setting_stands_in_the_reference(field: Field[Any]) -> None:
    """A key of ACCORD has a line, with its default where that is a number."""
    default = f" {field.default:g} |" if isinstance(field.default, float) else ""

    assert f"| `{field.name.upper()}` |{default}" in REFERENCE.read_text()


@pytest.mark.parametrize("field", fields(ErasurePolicy), ids=lambda field: field.name)
def test_every_number_of_the_erasure_policy_stands_in_the_reference(field: Field[Any]) -> None:
    """A name of POLICY["erasure"] has a line with its default."""
    default = field.default
    default = NEVER if default is None else default
    written = f"`{default}`" if isinstance(default, str) else "1" if default == ONE else f"{default:g}"

    assert f"| `{field.name}` | {written} |" in REFERENCE.read_text()
