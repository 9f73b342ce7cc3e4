"""The audit trail in the admin, on a real PostgreSQL: read, searched, verified, and never changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.test import RequestFactory

from accord.admin import AuditEventAdmin
from accord.models import AuditEvent
from tests.fix_trail import Trail

pytestmark = pytest.mark.integration

REQUEST_REF, DIGEST = "a1" * 16, "b2" * 32


def model_admin() -> AuditEventAdmin:
    """Give the admin's page of the trail."""
    return AuditEventAdmin(AuditEvent, admin.site)


def ask(method: str = "get", *, superuser: bool = True, **query: Any) -> HttpRequest:
    """Make a request of a member of staff."""
    request: HttpRequest = getattr(RequestFactory(), method)("/admin/accord/auditevent/", query)
    user = User(pk=1, username="officer", is_staff=True, is_active=True, is_superuser=superuser)
    # Known already, so that no accounts are asked for: this database holds the trail alone.
    user._perm_cache = set()  # type: ignore[attr-defined]  # Django's own cache
    request.user = user
    return request


def text_of(response: HttpResponse) -> str:
    """Render a page."""
    if isinstance(response, TemplateResponse):
        response.render()
    return response.content.decode()


def test_list_shows_the_events_and_the_button(trail: Trail) -> None:
    """Newest first, with numbers and the beginning of the request's reference."""
    trail.record(2)
    trail.record(request_ref=REQUEST_REF)

    page = text_of(model_admin().changelist_view(ask()))

    assert "erasure planned" in page
    assert "found 1" in page
    assert REQUEST_REF[:8] in page
    assert "Verify now" in page
    assert "Add audit event" not in page


@pytest.mark.parametrize("wanted", [REQUEST_REF, REQUEST_REF.upper(), DIGEST, f" {DIGEST} "])
def test_search_finds_a_request_and_a_digest(trail: Trail, wanted: str) -> None:
    """Whole references and digests only."""
    trail.record(3)
    trail.record(request_ref=REQUEST_REF, plan_digest=DIGEST)

    found, _ = model_admin().get_search_results(ask(), model_admin().get_queryset(ask()), wanted)

    assert [event.seq for event in found] == [4]


@pytest.mark.parametrize(
    "query", [{"event__exact": "run.started"}, {"outcome__exact": "failed"}, {"q": "c3" * 16}]
)
def test_filters_narrow_the_list(trail: Trail, query: dict[str, Any]) -> None:
    """A filter that nothing fits shows nothing."""
    trail.record(2)

    response = model_admin().changelist_view(ask(**query))

    assert isinstance(response, TemplateResponse)
    assert response.context_data is not None
    assert response.context_data["cl"].result_count == 0


def test_nobody_changes_anything(trail: Trail) -> None:
    """Not even a superuser adds, changes or deletes."""
    page = model_admin()

    assert not page.has_add_permission(ask())
    assert not page.has_change_permission(ask())
    assert not page.has_delete_permission(ask())
    assert page.has_view_permission(ask())


def test_verification_says_that_the_trail_is_intact(trail: Trail) -> None:
    """The page names the last event and how far heads outside of the database reach."""
    trail.record(3)

    page = text_of(model_admin().verify_view(ask("post")))

    assert "The audit trail is intact." in page
    assert AuditEvent.objects.using(trail.alias).get(seq=3).hash in page


def test_verification_names_what_is_wrong(trail: Trail) -> None:
    """A broken trail is said in words, with the event."""
    trail.record(3)
    trail.attack("UPDATE accord_auditevent SET outcome = 'failed' WHERE seq = 2")

    page = text_of(model_admin().verify_view(ask("post")))

    assert "NOT intact" in page
    assert "Event 2 is not what was written." in page


def test_verification_needs_a_post_and_a_permission(trail: Trail) -> None:
    """A link can't start it, and not everybody may."""
    assert model_admin().verify_view(ask()).status_code == 405
    with pytest.raises(PermissionDenied):
        model_admin().verify_view(ask("post", superuser=False))


def test_page_of_an_event_shows_its_proof(trail: Trail) -> None:
    """Both hashes stand on it."""
    call_command("migrate", "contenttypes", database=trail.alias, verbosity=0, skip_checks=True)
    trail.record()

    page = text_of(model_admin().changeform_view(ask(), "1"))

    assert AuditEvent.objects.using(trail.alias).get().hash in page
