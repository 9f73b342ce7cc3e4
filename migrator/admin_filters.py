"""Filters of the lists in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from migrator.models import Run, Tag

_ANY_TAG = " any"
"""Stands for all of them: a tag has no space before its name."""
_MOST_TAGS = 50


class TagFilter(admin.SimpleListFilter):
    """Runs that a tag was kept of: any, or one."""

    title = _("tag")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer the newest tags by name."""
        tagged = Tag.objects.exclude(run_id="").values_list("name", flat=True)[:_MOST_TAGS]
        return [(_ANY_TAG, _("any tag")), *((name, name) for name in tagged)] if tagged else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        """Keep the runs of the chosen tag."""
        chosen = self.value()
        if chosen is None:
            return queryset
        tags = Tag.objects.exclude(run_id="") if chosen == _ANY_TAG else Tag.objects.filter(name=chosen)
        return queryset.filter(pk__in=tags.values("run_id"))
