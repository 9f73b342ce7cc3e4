"""The form of an answer follows from the header alone."""

from __future__ import annotations

import pytest
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accord.api.negotiation import ByHeader


@pytest.mark.parametrize("query", ["format=xml", "=xml", "=", "format="])
def test_nothing_in_the_address_chooses_the_form(query: str) -> None:
    """A parameter without a name chose one, and was answered as if the address were wrong."""
    request = Request(APIRequestFactory().get(f"/?{query}"))

    renderer, _ = ByHeader().select_renderer(request, [JSONRenderer()])

    assert isinstance(renderer, JSONRenderer)
