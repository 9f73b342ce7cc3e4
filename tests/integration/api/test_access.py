"""Who gets in: signing in, a permission for each action, and how often."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.fix_api import PASSWORD, Served

pytestmark = pytest.mark.integration

VIEW_REQUEST = ("view_erasurerequest", "approve_erasurerequest")
FILE, APPROVE, EXECUTE = "add_erasurerequest", "approve_erasurerequest", "execute_erasurerequest"
VIEW_HOLD = ("view_legalhold", "change_legalhold")
VIEW_RESTRICTION = ("view_restriction", "change_restriction")
VIEW_RIGHT = ("view_rightsrequest", "change_rightsrequest")
VIEW_NOTICE = ("view_recipientnotice", EXECUTE)
VIEW_PLAN = ("view_planapproval", "approve_planapproval")
VIEW_RETENTION = ("view_retentionplan", APPROVE)
ANYBODY = ("",)
NEEDS: dict[str, str | tuple[str, ...]] = {
    "get erasure-requests/": VIEW_REQUEST,
    "post erasure-requests/": FILE,
    "post erasure-requests/search/": VIEW_REQUEST,
    "get erasure-requests/{reference}/": VIEW_REQUEST,
    "get erasure-requests/{reference}/receipt/": VIEW_REQUEST,
    "post erasure-requests/{reference}/ask-identity/": (FILE, APPROVE),
    "post erasure-requests/{reference}/identity/": FILE,
    "post erasure-requests/{reference}/plan/": FILE,
    "post erasure-requests/{reference}/extend/": FILE,
    "post erasure-requests/{reference}/cancel/": FILE,
    "post erasure-requests/{reference}/approve/": APPROVE,
    "post erasure-requests/{reference}/revoke/": APPROVE,
    "post erasure-requests/{reference}/reject/": APPROVE,
    "post erasure-requests/{reference}/resume/": EXECUTE,
    "post erasure-requests/{reference}/confirm/": EXECUTE,
    "post erasure-requests/{reference}/whose/": EXECUTE,
    "post consents/search/": "view_consentevent",
    "post consents/receipt/": "view_consentevent",
    "post consents/give/": "add_consentevent",
    "post consents/renew/": "add_consentevent",
    "post consents/refuse/": "add_consentevent",
    "post consents/withdraw/": "add_consentevent",
    "get consent-notices/": "view_consentnotice",
    "post consent-notices/": "add_consentnotice",
    "get holds/": VIEW_HOLD,
    "post holds/": "add_legalhold",
    "get holds/{reference}/": VIEW_HOLD,
    "post holds/{reference}/release/": "change_legalhold",
    "post erasure-requests/{reference}/letter/": (FILE, APPROVE),
    "get restrictions/": VIEW_RESTRICTION,
    "post restrictions/": "add_restriction",
    "get restrictions/{reference}/": VIEW_RESTRICTION,
    "post restrictions/{reference}/lift/": "change_restriction",
    "post restrictions/{reference}/letter/": "change_restriction",
    "get rights-requests/": VIEW_RIGHT,
    "post rights-requests/": "add_rightsrequest",
    "get rights-requests/{reference}/": VIEW_RIGHT,
    "get rights-requests/{reference}/asked-for/": "change_rightsrequest",
    "post rights-requests/{reference}/take/": "change_rightsrequest",
    "post rights-requests/{reference}/answer/": "change_rightsrequest",
    "post rights-requests/{reference}/refuse/": "change_rightsrequest",
    "post rights-requests/{reference}/withdraw/": "add_rightsrequest",
    "get exports/": "export_person",
    "post exports/": "export_person",
    "get exports/{reference}/": "export_person",
    "delete exports/{reference}/": "export_person",
    "post exports/{reference}/download/": "export_person",
    "get recipients/": VIEW_NOTICE,
    "get recipient-notices/": VIEW_NOTICE,
    "get recipient-notices/{reference}/": VIEW_NOTICE,
    "post recipient-notices/{reference}/retry/": EXECUTE,
    "post recipient-notices/{reference}/confirm/": EXECUTE,
    "get restores/": ("view_registermark", EXECUTE),
    "post restores/begin/": EXECUTE,
    "post restores/answer/": EXECUTE,
    "get retention/": "view_retentionrun",
    "get retention-runs/": "view_retentionrun",
    "get retention-plans/": VIEW_RETENTION,
    "get retention-plans/{reference}/": VIEW_RETENTION,
    "post retention-plans/{reference}/approve/": APPROVE,
    "post retention-plans/{reference}/reject/": APPROVE,
    "get break-glass/": ("view_breakglass", "approve_planapproval"),
    "post break-glass/{reference}/review/": "approve_planapproval",
    "get runs/": "view_run",
    "get runs/{id}/": "view_run",
    "get plan/": "view_run",
    "get plan-approvals/": VIEW_PLAN,
    "get plan-approvals/{reference}/": VIEW_PLAN,
    "post plan-approvals/{reference}/approve/": "approve_planapproval",
    "post plan-approvals/{reference}/reject/": "approve_planapproval",
    "post plan-approvals/{reference}/revoke/": "approve_planapproval",
    "get health/": "view_health",
    "delete token/": ANYBODY,
    "get schema/": ANYBODY,
    "get docs/": ANYBODY,
}

MATRIX = """
from drf_spectacular.generators import SchemaGenerator

described = {
    f"{method} {path.removeprefix('/api/v1/')}"
    for path, item in SchemaGenerator().get_schema(request=None, public=True)["paths"].items()
    for method in item
}

def knock(name, operation):
    method, path = operation.split()
    path = path.replace("{reference}", "0123456789abcdef0123456789abcdef").replace("{id}", "no-run")
    answer = getattr(client(name), method)("/api/v1/" + path, {}, format="json")
    return answer.status_code, answer.json()["code"] if answer["Content-Type"].startswith(
        "application/problem"
    ) else ""

SLOW = ("get plan/", "get health/", "get retention/", "get restores/", "post restores/begin/")
nobody = {one: knock("nobody", one) for one, named in needs.items() if named != ("",)}
unknown = {one: knock("", one) for one in needs}
wrong = []
for number, (operation, named) in enumerate(needs.items()):
    for permission in [named] if isinstance(named, str) else named:
        if not permission or operation in SLOW:
            continue
        name = f"only-{permission}"
        account(name, permission)
        if knock(name, operation)[1] == "ACC-824":
            wrong.append([operation, permission])
every = set(
    Permission.objects.filter(content_type__app_label__in=("gdpr", "migrator", "accord")).values_list(
        "codename", flat=True
    )
)
for operation, named in needs.items():
    if named != ("",):
        account("without", *(every - {named} if isinstance(named, str) else every - set(named)))
        if knock("without", operation) != (403, "ACC-824"):
            wrong.append([operation, "without"])
say(
    [
        sorted(described ^ (set(needs) - {"get schema/", "get docs/"} | {"post token/"})),
        nobody,
        unknown,
        wrong,
    ]
)
"""

SIGN_IN = """
from django.core.cache import cache

def sign_in(username, password):
    return APIClient().post("/api/v1/token/", {"username": username, "password": password}, format="json")

get_user_model().objects.create_user("visitor", password=password)
got = sign_in("visitor", password)
token = got.json()["token"]
signed = APIClient()
signed.credentials(HTTP_AUTHORIZATION="Token " + token)
known = signed.get("/api/v1/schema/").status_code
wrong, unknown = sign_in("visitor", "wrong"), sign_in("jane.doe@example.com", "wrong")
deleted = signed.delete("/api/v1/token/").status_code
after = problem(signed.get("/api/v1/schema/"))
get_user_model().objects.filter(username="visitor").update(is_active=False)
inactive = problem(sign_in("visitor", password))
last = [sign_in("visitor", "wrong") for _ in range(3)][-1]
spoofed = APIClient().post(
    "/api/v1/token/",
    {"username": "else", "password": "x"},
    format="json",
    headers={"X-Forwarded-For": "192.0.2.7"},
)
cache.clear()
throttle({"accord_sign_in": None, "accord_sign_in_name": "2/hour"})
by_name = [sign_in(name, "wrong").status_code for name in ("filer", "Filer", "FILER", "approver")]
session = APIClient(enforce_csrf_checks=True)
session.force_login(get_user_model().objects.get(username="filer"))
say(
    dict(
        got=got.status_code,
        known=known,
        wrong=problem(wrong),
        unknown=problem(unknown),
        alike=wrong.json()["detail"] == unknown.json()["detail"],
        deleted=deleted,
        after=after,
        inactive=inactive,
        last=problem(last),
        wait=int(last["Retry-After"]) > 0,
        spoofed=problem(spoofed),
        by_name=by_name,
        session=session.get("/api/v1/erasure-requests/").status_code,
        without_csrf=problem(session.post("/api/v1/erasure-requests/", {}, format="json")),
    )
)
"""

THROTTLED = """
throttle({"accord_read": "3/min", "accord_write": "2/min"})
read = [ask("filer", "erasure-requests/").status_code for _ in range(4)]
wrote = [send("filer", "erasure-requests/", {}).status_code for _ in range(3)]
searched = send("approver", "consents/search/", {}).status_code
last = ask("filer", "erasure-requests/")
say(
    [
        read,
        wrote,
        problem(last),
        int(last["Retry-After"]) > 0,
        ask("approver", "erasure-requests/").status_code,
        [send("approver", "consents/search/", {}).status_code for _ in range(2)],
        last["Cache-Control"],
    ]
)
"""

DOWN = """
from django.db import connections

settings.DATABASES["default"]["PORT"] = connections["default"].settings_dict["PORT"] = "1"
connections["default"].close()
answer = APIClient().get("/api/v1/erasure-requests/", headers={"Authorization": "Token " + "0" * 40})
say([problem(answer), answer.json()["detail"]])
"""


def test_each_action_asks_for_its_own_permission(served: Served) -> None:
    """Without it 403, whatever else the account may; with nobody signed in 401; no operation is left out."""
    missing, nobody, unknown, wrong = served.call(MATRIX, needs=NEEDS)

    assert missing == []
    asked = [name for name, needed in NEEDS.items() if needed != ANYBODY]
    assert nobody == {name: [403, "ACC-824"] for name in asked}
    assert unknown == {name: [401, "not_authenticated"] for name in NEEDS}
    assert wrong == []


def test_token_is_given_for_a_password_and_deleted_again(served: Served) -> None:
    """Wrong name and password sound alike; guessing is slowed by address and name, forged headers or not."""
    found = SimpleNamespace(**served.call(SIGN_IN, password=PASSWORD))

    assert (found.got, found.known, found.deleted) == (200, 200, 204)
    assert found.wrong == found.unknown == found.inactive == found.after == [401, "authentication_failed"]
    assert found.alike
    assert found.last == found.spoofed == [429, "throttled"]
    assert found.wait
    assert found.by_name == [401, 401, 429, 401]
    assert found.session == 200
    assert found.without_csrf == [403, "permission_denied"]


def test_reading_and_writing_are_throttled_apart(served: Served) -> None:
    """Each account has its own count; a search that changes nothing counts as reading."""
    read, wrote, last, wait, other, searches, cached = served.call(THROTTLED)

    assert read == [200, 200, 200, 429]
    assert wrote == [400, 400, 429]
    assert last == [429, "throttled"]
    assert wait
    assert other == 200
    assert searches == [400, 429]
    assert cached == "no-store"


def test_database_that_is_away_is_503(served: Served) -> None:
    """A client may come back later; the answer says nothing of the server's address."""
    found, detail = served.call(DOWN)

    assert found == [503, "ACC-601"]
    assert "127.0.0.1" not in detail
