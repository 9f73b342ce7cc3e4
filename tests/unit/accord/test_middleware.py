"""Each page says what a browser may run and load there."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from django.http import HttpResponse
from django.template.loader import get_template
from django.test import RequestFactory

from accord.middleware import HEADER, POLICY, STYLED_WITHIN, ContentSecurityPolicyMiddleware


def test_page_without_a_policy_gets_one() -> None:
    """Scripts and styles come from the site alone, and nobody may frame it."""
    response = ContentSecurityPolicyMiddleware(lambda _request: HttpResponse("page"))(
        RequestFactory().get("/")
    )

    assert response.headers[HEADER] == POLICY
    assert "script-src 'self';" in POLICY
    assert "frame-ancestors 'none'" in POLICY
    assert "unsafe" not in POLICY


def test_policy_of_a_page_stays() -> None:
    """A page that knows better, as the one of the API does, keeps its own; scripts within it stay off."""
    own = HttpResponse("page", headers={HEADER: STYLED_WITHIN})

    response = ContentSecurityPolicyMiddleware(lambda _request: own)(RequestFactory().get("/"))

    assert response.headers[HEADER] == STYLED_WITHIN
    assert "script-src 'self';" in STYLED_WITHIN


def test_style_that_the_admin_writes_into_a_page_is_let_through() -> None:
    """It is known by its bytes: a Django that writes another one fails here, before a browser complains."""
    template: Any = get_template("admin/change_list.html")
    styles = re.findall(r"<style>(.*?)</style>", template.template.source, re.DOTALL)

    hashes = [base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() for style in styles]

    assert len(hashes) == 1
    assert f"'sha256-{hashes[0]}'" in POLICY
