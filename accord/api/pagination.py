"""Pages of lists."""

from __future__ import annotations

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

LARGEST_OFFSET = 1_000_000


class LimitedPages(LimitOffsetPagination):
    """`?limit=` and `?offset=`; what isn't a number in their range is refused rather than overlooked."""

    default_limit = 50
    max_limit = 200

    def get_limit(self, request: Request) -> int:
        """
        Return how many are wanted.

        Raises:
            ValidationError: That is no number from 1 to 200.
        """
        return _number(request, self.limit_query_param, 1, self.max_limit, self.default_limit)

    def get_offset(self, request: Request) -> int:
        """
        Return how many are passed over.

        Raises:
            ValidationError: That is no number from 0 on.
        """
        return _number(request, self.offset_query_param, 0, LARGEST_OFFSET, 0)

    def get_schema_operation_parameters(self, view: object) -> list[dict[str, object]]:
        """Describe both parameters with their range."""
        ranges = {
            self.limit_query_param: (1, self.max_limit, "How many to show."),
            self.offset_query_param: (0, LARGEST_OFFSET, "How many to pass over."),
        }
        return [
            {
                "name": name,
                "required": False,
                "in": "query",
                "description": words,
                "schema": {"type": "integer", "minimum": least, "maximum": most},
            }
            for name, (least, most, words) in ranges.items()
        ]


def _number(request: Request, name: str, least: int, most: int, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most:
        return int(text)
    raise ValidationError({name: [f"A whole number from {least} to {most} is needed."]})
