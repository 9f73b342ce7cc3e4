"""What pages of the admin have in common, in every app of the suite."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString


class ReadOnly:
    """Nobody adds, changes or deletes what happened."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def chip(outcome: str, label: str) -> SafeString:
    """Show an outcome as a word in a coloured frame; the word says it, the colour helps."""
    return format_html('<span class="outcome outcome-{}">{}</span>', outcome, label)


def person_of(request: HttpRequest) -> AbstractBaseUser:
    """
    Give the account that asks.

    Raises:
        PermissionDenied: Nobody is signed in.
    """
    if not isinstance(request.user, AbstractBaseUser):
        raise PermissionDenied
    return request.user
