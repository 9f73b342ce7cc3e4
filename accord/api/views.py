"""The base of every view of the API, and what the kernel itself answers: sign-in and health."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from django.contrib.auth import authenticate
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers, status
from rest_framework.exceptions import AuthenticationFailed, NotFound, UnsupportedMediaType
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accord import tokens
from accord.api import problems, queries
from accord.api.bodies import Body, Sent, Text
from accord.api.described import Described, extend_schema
from accord.api.negotiation import ByHeader
from accord.api.pagination import LimitedPages
from accord.api.permissions import SIGNED_IN, PerAction
from accord.api.throttling import ReadThrottle, SignInByAddress, SignInByName, WriteThrottle
from accord.health import formats, runner
from accord.health.runner import Level
from accord.models import AccessToken

VIEW_HEALTH = "accord.view_health"

_Sent = TypeVar("_Sent", bound=serializers.BaseSerializer)


class Api:
    """
    What every view of the suite has in common, whatever the project's `REST_FRAMEWORK` says.

    How somebody signs in is the project's decision (`DEFAULT_AUTHENTICATION_CLASSES`).
    """

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {}
    reading: ClassVar[frozenset[str]] = frozenset()
    paged: ClassVar[frozenset[str]] = frozenset({"list"})
    """What answers in pages, and takes their parameters."""
    decides: ClassVar[frozenset[str]] = frozenset()
    """What is for people alone to decide, and never for a program."""
    proves: ClassVar[frozenset[str]] = frozenset()
    """What takes a token where the policy asks for proof: the pages of the admin take the password there."""
    permission_classes: Any = (PerAction,)
    throttle_classes: Any = (ReadThrottle, WriteThrottle)
    parser_classes: Any = (Body,)
    renderer_classes: Any = (JSONRenderer,)
    pagination_class: Any = LimitedPages
    metadata_class: Any = None
    content_negotiation_class: Any = ByHeader
    # OPTIONS would be listed as allowed, and refused.
    http_method_names: Any = ("get", "post", "put", "patch", "delete", "head")
    schema: Any = Described()
    takes: ClassVar[queries.Takes] = {}
    request: Request

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """
        Check who asks and how often, then what for.

        Raises:
            UnsupportedMediaType: A body came that is no JSON, whether or not it would be read.
            ValidationError: The query of the address has a parameter that this operation doesn't know.
        """
        super().initial(request, *args, **kwargs)  # type: ignore[misc]  # of the view that this is mixed into
        handler = getattr(self, self._called(request), None)
        if handler is not None:
            _refuse_foreign(request)
            queries.refuse_unknown(request, self._known(handler))

    def _called(self, request: Request) -> str:
        """Return which method answers; none for one that is not allowed."""
        method = (request.method or "").lower()
        action = getattr(self, "action", None)
        return action or (method if not hasattr(self, "action_map") else "")

    def _known(self, handler: Any) -> queries.Takes:
        known = getattr(handler, "takes", self.takes)
        lists = getattr(self, "action", None) in self.paged
        return {**known, **queries.of_pages(self.pagination_class)} if lists else known

    def get_exception_handler(self) -> Callable[..., Response | None]:
        """Return the handler that answers errors with problem documents."""
        return problems.handle

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Keep every answer out of caches; write a problem as JSON, whatever the view answers with else."""
        if getattr(response, "content_type", None) == problems.MEDIA_TYPE:
            request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        answer: HttpResponse = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]  # of the view that this is mixed into
        answer["Cache-Control"] = "no-store"
        return answer

    def sent(self, body: type[_Sent]) -> dict[str, Any]:
        """
        Read the body.

        Raises:
            ValidationError: It doesn't fit.
        """
        return _checked(body, self.request.data)

    def asked(self, query: type[_Sent]) -> dict[str, Any]:
        """
        Read the query of the address.

        Raises:
            ValidationError: It doesn't fit.
        """
        return _checked(query, self.request.query_params)


def _refuse_foreign(request: Request) -> None:
    if request.stream is not None and request.negotiator.select_parser(request, request.parsers) is None:
        raise UnsupportedMediaType(request.content_type)


def _checked(kind: type[_Sent], data: Any) -> dict[str, Any]:
    read = kind(data=data)
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)


# --- sign-in -----------------------------------------------------------------------------------------


class SignInBody(Sent):
    """A user name and its password."""

    username = Text(max_length=254)
    password = Text(max_length=1000, trim_whitespace=False, style={"input_type": "password"})


class TokenAnswer(serializers.Serializer):
    """A token."""

    token = serializers.CharField(help_text="Send it as “Authorization: Token …”. It is never shown again.")
    expires_at = serializers.DateTimeField(
        help_text="Until when it counts, unless the password changes before."
    )


class TokenView(Api, APIView):
    """Tokens, for programs."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {"delete": SIGNED_IN}

    def get_permissions(self) -> list[Any]:
        """Allow every client to try to sign in."""
        return [AllowAny()] if self.request.method == "POST" else super().get_permissions()

    def get_authenticators(self) -> list[Any]:
        """Ignore a token that a client asking for one may send along."""
        signing_in = self.request is not None and self.request.method == "POST"
        return [] if signing_in else super().get_authenticators()

    def get_authenticate_header(self, request: Request) -> str:
        """Return the scheme that makes a wrong password an error of signing in."""
        return "Token"

    def get_throttles(self) -> list[Any]:
        """Throttle the sign-in much more than anything else."""
        if self.request.method == "POST":
            return [SignInByAddress(), SignInByName()]
        return super().get_throttles()

    @extend_schema(request=SignInBody, responses={200: TokenAnswer}, auth=[], operation_id="token_get")
    def post(self, request: Request) -> Response:
        """Return a new token of an account for its password. Only its digest is kept."""
        sent = self.sent(SignInBody)
        person = authenticate(request, username=sent["username"], password=sent["password"])
        if person is None:
            raise AuthenticationFailed("The user name or the password is wrong.")
        issued = tokens.issue(person, by=person)
        return Response(TokenAnswer({"token": issued.text, "expires_at": issued.kept.expires_at}).data)

    @extend_schema(request=None, responses={204: None}, operation_id="token_delete")
    def delete(self, request: Request) -> Response:
        """End the token that was sent; without one, all of the account's. Whoever has it is signed out."""
        sent = request.auth
        for kept in [sent] if isinstance(sent, AccessToken) else tokens.of(request.user):
            tokens.revoke(kept, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


# --- health ------------------------------------------------------------------------------------------

_LEVELS = [level.value for level in Level]
_CHECK = r"^[a-z0-9_]+(\.[a-z0-9_]+)*$"
_NAME = {"type": "string", "pattern": _CHECK, "maxLength": 100}


class FindingAnswer(serializers.Serializer):
    """One thing that was looked at."""

    name = serializers.CharField()
    level = serializers.ChoiceField(choices=_LEVELS)
    value = serializers.FloatField(allow_null=True)
    unit = serializers.CharField(allow_blank=True)
    threshold = serializers.FloatField(allow_null=True)
    age = serializers.FloatField(allow_null=True)
    message = serializers.CharField()
    hint = serializers.CharField(allow_blank=True)


class HealthAnswer(serializers.Serializer):
    """What all the checks found (`accord.health/1`)."""

    schema = serializers.CharField()
    level = serializers.ChoiceField(choices=_LEVELS)
    exit_code = serializers.IntegerField(min_value=0, max_value=3)
    ready = serializers.BooleanField()
    seconds = serializers.FloatField()
    findings = FindingAnswer(many=True)


class HealthQuery(serializers.Serializer):
    """Which checks."""

    only = serializers.ListField(
        child=serializers.RegexField(_CHECK, max_length=100), required=False, max_length=50
    )


class HealthView(Api, APIView):
    """Health of the project."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {"get": VIEW_HEALTH}

    @extend_schema(
        responses={200: HealthAnswer},
        parameters=[
            OpenApiParameter(
                "only",
                {"type": "array", "maxItems": 50, "items": _NAME},
                description="Names of checks, or their beginnings up to a dot.",
            )
        ],
        operation_id="health",
    )
    def get(self, request: Request) -> Response:
        """Run the checks of `health_check` and give what they found; 200 whatever that is."""
        checks = runner.select(runner.discover(), self.asked(HealthQuery).get("only", []))
        report = runner.run_checks(checks)
        return Response(formats.document(report, exit_code=report.exit_code()))


class NothingView(Api, APIView):
    """Addresses that nothing is at."""

    permission_classes: Any = (AllowAny,)
    throttle_classes: Any = ()
    authentication_classes: Any = ()
    schema: Any = None

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer that there is nothing, as a problem, whatever the method."""
        self.headers: dict[str, str] = {}
        self.request = self.initialize_request(request, *args, **kwargs)
        return self.finalize_response(self.request, self.handle_exception(NotFound()), *args, **kwargs)
