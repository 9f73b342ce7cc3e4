"""A view that the site had before."""

from __future__ import annotations

from rest_framework.response import Response
from rest_framework.views import APIView


class Own(APIView):  # type: ignore[misc]  # the REST framework has no types
    """Describes itself as the REST framework does by default."""

    def get(self, _request: object) -> Response:
        """Greet."""
        return Response({"greeting": "hello"})
