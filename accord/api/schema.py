"""The OpenAPI description, its page, and what every operation has in common in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from accord.api.permissions import SIGNED_IN
from accord.api.problems import MEDIA_TYPE
from accord.api.queries import Takes
from accord.api.views import Api
from accord.middleware import HEADER, STYLED_WITHIN

PREFIX = "/api/v1/"
_OF_THE_LIBRARY = {"lang": False, "version": False}
"""What the page of the description hands on to the description."""
_METHODS = ("get", "post", "put", "patch", "delete")
_ALWAYS = {
    "400": "What was sent doesn't fit.",
    "401": "Nobody is signed in.",
    "403": "The account may not, or another person has to.",
    "406": "The answer can be had as JSON only.",
    "429": "Too often; Retry-After says how long to wait.",
    "502": "A store answers with an error.",
    "503": "A store can't be reached.",
}
_NOT_FOUND = {"404": "There is no such thing.", "409": "The state of the matter doesn't allow it."}
_CHANGING = {
    "409": "The state of the matter doesn't allow it.",
    "410": "It was there, and is gone.",
    "413": "The body is too large.",
    "415": "The body is no JSON.",
    "422": "The body can be read, and names nobody or the wrong kind of key.",
}
_PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457). It never repeats what was sent.",
    "required": ["type", "title", "status", "detail", "code", "next"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable: docs/reference/errors.md."},
        "next": {"type": "string", "description": "The next move."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


class Generator(SchemaGenerator):
    """
    Describes the suite's addresses, whatever `SPECTACULAR_SETTINGS` and `REST_FRAMEWORK` of the project say.

    By a class and not by settings: those are one object of the whole process, which the project's own
    description is made from at the same time.
    """

    def _initialise_endpoints(self) -> None:
        """Leave out the project's own addresses before anything is asked of their views."""
        super()._initialise_endpoints()  # type: ignore[no-untyped-call]  # the library has no types here
        own = (SchemaView, DocsView)
        self.endpoints = [one for one in ours_only(self.endpoints) if getattr(one[3], "cls", None) not in own]

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - its signature
        """Return the description with what every operation may answer."""
        base: Any = super()
        return with_problems(base.get_schema(request, public))


class SchemaView(Api, SpectacularJSONAPIView):
    """The description, as JSON."""

    generator_class = Generator
    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {"get": SIGNED_IN}
    takes: ClassVar[Takes] = _OF_THE_LIBRARY
    renderer_classes = SpectacularJSONAPIView.renderer_classes


class DocsView(Api, SpectacularSwaggerSplitView):
    """The page; it loads nothing from other hosts, and its script comes by an address of its own."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {"get": SIGNED_IN}
    takes: ClassVar[Takes] = {**_OF_THE_LIBRARY, "script": False}
    renderer_classes = SpectacularSwaggerSplitView.renderer_classes

    @extend_schema(exclude=True)  # also from a description that the project makes itself
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer with the page, or with its script; the library writes a few styles into the page."""
        response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]  # the library has no types here
        response.headers[HEADER] = STYLED_WITHIN
        return response


def ours_only(endpoints: list[tuple[str, str, str, Any]], **_: Any) -> list[tuple[str, str, str, Any]]:
    """Describe the addresses of the suite; those of the project's own API are its own matter."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(PREFIX)]


def with_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add what every operation may answer when it refuses, and that bodies take no unknown fields."""
    components = result.setdefault("components", {}).setdefault("schemas", {})
    components["Problem"] = _PROBLEM
    for path, method, operation in _operations(result):
        for status, words in _refusals(path, method, operation).items():
            operation["responses"].setdefault(status, _answer(words))
        _close(operation.get("requestBody", {}), components)
    described: dict[str, Any] = _without_marks(result)
    return described


def _operations(result: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in result["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _refusals(path: str, method: str, operation: Mapping[str, Any]) -> dict[str, str]:
    found = dict(_ALWAYS)
    if "{" in path or "requestBody" in operation:
        found |= _NOT_FOUND
    if method != "get":
        found |= _CHANGING
    return found


def _answer(words: str) -> dict[str, Any]:
    return {
        "description": words,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _close(schema: Any, components: Mapping[str, Any]) -> None:
    """Mark a body, and the objects in it, as taking no other fields."""
    if isinstance(schema, list):
        for item in schema:
            _close(item, components)
    if not isinstance(schema, dict):
        return
    if name := str(schema.get("$ref", "")).rpartition("/")[2]:
        component = components[name]
        # Words from a list may be a component, too, where the project's settings make them one.
        if "properties" in component:
            component.setdefault("additionalProperties", False)
            _close(component["properties"], components)
        return
    for inside in schema.values():
        _close(inside, components)


def _without_marks(found: Any) -> Any:
    """Return the schema without what the generator notes for itself."""
    if isinstance(found, dict):
        return {name: _without_marks(item) for name, item in found.items() if name != "x-spec-enum-id"}
    return [_without_marks(item) for item in found] if isinstance(found, list) else found
