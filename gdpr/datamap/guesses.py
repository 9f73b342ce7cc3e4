"""
What a field may hold, guessed from its name, its type, or a few of its values.

Each guess says what it was made from. None of them proves anything, and a field without a guess is
not known to be harmless. Values are looked at and counted; none leaves this module.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from gdpr.datamap.lock import SEEN, Fields, kinds


class Basis(enum.StrEnum):
    """What a guess was made from."""

    NAME = "by its name"
    TYPE = "by its type"
    VALUES = "by its values"
    KEY = "by a foreign key"


@dataclass(frozen=True, kw_only=True)
class Guess:
    """
    What one field may hold.

    Attributes:
        path: The field.
        what: Kind of data, in a word.
        category: Category of an entry.
        basis: What it was made from.
        matching: How many of the values look like it; 0 where none were looked at.
        looked_at: How many values were looked at.
    """

    path: str
    what: str
    category: str
    basis: Basis
    matching: int = 0
    looked_at: int = 0

    @property
    def why(self) -> str:
        """Say what it was made from."""
        if self.basis is Basis.VALUES:
            return f"{self.matching} of {self.looked_at} values look like it"
        return str(self.basis)


EMAIL = "e-mail address"
_MOST_OF = 0.8
"""Share of the values that must look like something before they count as that."""
_WORDS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (what, category, re.compile(rf"(^|_)({words})(_|\d*$)"))
    for what, category, words in (
        (EMAIL, "contact", "e?mail|mail_?address"),
        ("phone number", "contact", "phone|mobile|telephone|tel|fax|msisdn"),
        ("IP address", "device", "ip|ip_?addr(ess)?|remote_addr|client_addr"),
        ("date of birth", "identity", "birth_?(date|day|year)?|born|dob|date_of_birth"),
        ("postal address", "contact", "address|street|city|town|zip|zip_?code|postcode|postal_?code"),
        ("place", "behaviour", "lat|lon|lng|latitude|longitude|geo|location|position"),
        ("bank or card", "payment", "iban|bic|card_?number|pan|account_?number"),
        ("secret", "identity", "password|passwd|pwd|secret|token|api_?key|session_?(key|id)"),
        ("official number", "identity", "passport|ssn|tax_?id|national_?id|vat_?id"),
        ("device", "device", "device(_?id)?|user_?agent|imei|mac_?addr(ess)?|fingerprint"),
        (
            "name",
            "identity",
            "name|(first|last|full|display|nick|user|family|given|sur|owner|author)_?name|login",
        ),
        ("free text", "content", "comment|message|note|notes|body|bio|about|description|subject"),
    )
)
_TYPED: Mapping[str, tuple[str, str]] = {
    "inet": ("IP address", "device"),
    "cidr": ("IP address", "device"),
    "ip": ("IP address", "device"),
    "geo_point": ("place", "behaviour"),
}
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s.]{2,}")
_PHONE = re.compile(r"(\+|00)?[0-9][0-9 ()./-]{6,18}[0-9]")
_DIGITS_OF_A_PHONE = 8


def guesses(fields: Fields, values: Mapping[str, Sequence[object]]) -> list[Guess]:
    """
    Guess what the fields of one place hold: values say more than a type, and that more than a name.

    Args:
        fields: Paths and types.
        values: A few values of each path; none where nobody looked.
    """
    found = (
        _by_values(path, values.get(path, ())) or _by_type(path, kind) or _by_name(path)
        for path, kind in fields.items()
    )
    return [guess for guess in found if guess is not None]


def owners(fields: Fields, names: Iterable[str]) -> list[str]:
    """
    Find the fields that may hold the key of the person whom a row is about, the likeliest first.

    Args:
        fields: Paths and types.
        names: What a person is called in this project: the subject's model, “user”, “owner”.
    """
    by_leaf = {_leaf(path): path for path in reversed(list(fields))}
    wanted = [f"{name}{ending}" for name in names for ending in ("_id", "id", "")]
    return list(dict.fromkeys(by_leaf[leaf] for leaf in wanted if leaf in by_leaf))


def _by_values(path: str, values: Sequence[object]) -> Guess | None:
    texts = [value for value in values if isinstance(value, str) and value.strip()]
    for what, category, fits in _LOOKS:
        matching = sum(map(fits, texts))
        if texts and matching >= len(texts) * _MOST_OF:
            return Guess(
                path=path,
                what=what,
                category=category,
                basis=Basis.VALUES,
                matching=matching,
                looked_at=len(texts),
            )
    return None


def _by_type(path: str, kind: str) -> Guess | None:
    for one in sorted(kinds(kind.removesuffix(SEEN))):
        if one in _TYPED:
            what, category = _TYPED[one]
            return Guess(path=path, what=what, category=category, basis=Basis.TYPE)
    return None


def _by_name(path: str) -> Guess | None:
    for what, category, word in _WORDS:
        if word.search(_leaf(path)):
            return Guess(path=path, what=what, category=category, basis=Basis.NAME)
    return None


def _leaf(path: str) -> str:
    """Return the last step of a path in small letters and with underscores."""
    last = path.replace("[]", "").rpartition(".")[2]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", last).replace("-", "_").lower()


def _is_email(text: str) -> bool:
    return _EMAIL.fullmatch(text.strip()) is not None


def _is_ip(text: str) -> bool:
    try:
        ip_address(text.strip())
    except ValueError:
        return False
    return True


def _is_phone(text: str) -> bool:
    digits = sum(letter.isdigit() for letter in text)
    return digits >= _DIGITS_OF_A_PHONE and _PHONE.fullmatch(text.strip()) is not None


_LOOKS: tuple[tuple[str, str, Any], ...] = (
    (EMAIL, "contact", _is_email),
    ("IP address", "device", _is_ip),
    ("phone number", "contact", _is_phone),
)
