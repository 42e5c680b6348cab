"""DRF's viewsets, without what one parser, one renderer and no versions make superfluous in every request:
who asks (knox's tokens, looked up once in a few seconds), whether they may, what they ask, what is answered.
"""

import time
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from django.views import View
from django_filters import FilterSet
from knox import auth
from rest_framework import request as drf
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from ledger.callers import Caller
from rest.answers import Answer, Deprecation, ask_once
from rest.errors import PermissionMissing, TokenExpired
from rest.lists import KeysetPagination, StrictFilterBackend
from rest.serializers import DryRunQuery, NoFields, StrictSerializer
from rest.tokens import Token, look_up

NO_FILES: MultiValueDict[str, Any] = MultiValueDict()
TOKENS_MAX = 10_000  # that are known at once
BEARER = "Bearer "
AnyModel = TypeVar("AnyModel", bound=Model)


class KnownTokens(dict[bytes, tuple[float, Token]]):
    """The tokens that were found valid in the last `TOKEN_CACHE_SECONDS`, by their SHA-256.

    For all threads: each step is one of a dict's. Wrong tokens are not kept. `used` has when those were
    looked up last of which nobody has written it yet: in use, a token is looked up again and again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.used: dict[str, datetime] = {}

    def find(self, token: bytes) -> Token | None:
        """None if it has to be looked up. An expiry counts at once: raises `TokenExpired`."""
        forgotten_at, known = self.get(sha256(token).digest(), (0.0, None))
        if known is None or forgotten_at <= time.monotonic():
            return None
        if known.expires_at <= time.time():
            raise TokenExpired
        return known

    def keep(self, token: bytes, known: Token) -> None:
        if len(self) >= TOKENS_MAX:
            self.clear()
        self[sha256(token).digest()] = time.monotonic() + settings.TOKEN_CACHE_SECONDS, known

    def note_use(self, known: Token) -> None:
        if len(self.used) < TOKENS_MAX:
            self.used[known.digest] = datetime.now(UTC)

    def take_uses(self) -> dict[str, datetime]:
        """When tokens were used, by their digests, since this was asked last."""
        return {digest: self.used.pop(digest) for digest in list(self.used)}


known_tokens = KnownTokens()


class TokenAuthentication(auth.TokenAuthentication):  # type: ignore[misc]
    """`Authorization: Bearer <token>`.

    The token's user, permissions and expiry are kept for `TOKEN_CACHE_SECONDS` in this process, so in the
    steady state no query is needed; a revoked token or a changed group counts after that time, an expiry at
    once. Raises `AuthenticationFailed` for what is no valid token, `TokenExpired` for what was one.
    """

    def authenticate(self, request: drf.Request) -> tuple[AbstractUser, Token] | None:
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        is_plain = header.startswith(BEARER) and header.isascii()
        if is_plain and (known := known_tokens.find(header[len(BEARER) :].encode())):
            return known.user, known
        return cast("tuple[AbstractUser, Token] | None", super().authenticate(request))

    def authenticate_credentials(self, token: bytes) -> tuple[AbstractUser, Token]:
        known = known_tokens.find(token)
        if known is None:
            known = ask_once(look_up, token)
            known_tokens.keep(token, known)
            known_tokens.find(token)  # raises when it has expired
            known_tokens.note_use(known)
        return known.user, known


class HasPermission(BasePermission):
    """A view's `permissions` map its actions to what each needs; reading needs none, it is narrowed. Of
    several one is enough to be let in: the action asks for those that it needs.

    A command that no permission is named for is nobody's. An action of None is a method that is not served.
    Raises `PermissionMissing`.
    """

    def has_permission(self, request: Any, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        permission: str | tuple[str, ...] | None = view.permissions.get(view.action)
        if permission is None:
            return view.action is None or request.method in SAFE_METHODS
        if isinstance(permission, tuple):
            permission = next(filter(request.may, permission), permission[0])
        if not request.may(permission):
            raise PermissionMissing(permission)
        return True


class Request(drf.Request):
    """DRF's request, which knows its own id, what its user may, and what it asks: the values of the action's
    request serializer.

    What is asked of it most, and would go through `__getattr__`, is an attribute.
    """

    version = versioning_scheme = None
    is_dry_run = False  # whether a command is to be decided and not carried out
    asked: dict[str, Any]
    rehearsed: Any  # what a dry run was decided to be
    caller: Caller  # of one that changes something

    def __init__(self, request: HttpRequest, **options: Any) -> None:
        super().__init__(request, **options)
        self.META = request.META
        self.method = request.method
        self.id = request.META.get("HTTP_X_REQUEST_ID", "")

    def _load_data_and_files(self) -> None:
        """As DRF's, of a body that is no form: there is one parser, and there are no files."""
        self._files = NO_FILES
        parse: Any = self.parsers[0].parse  # type: ignore[index]
        self._data = self._full_data = parse(None, None, self.parser_context)

    @property
    def has_body(self) -> bool:
        return self.META.get("CONTENT_LENGTH") not in (None, "", "0") or "HTTP_TRANSFER_ENCODING" in self.META

    @property
    def data(self) -> Any:
        """As DRF's, which looks more carefully for it."""
        if self._full_data is drf.Empty:
            self._load_data_and_files()
        return self._full_data

    @property
    def user(self) -> Any:
        """As DRF's, which looks for a user that is there with more care than one that is not."""
        return self.__dict__.get("_user") or super().user

    @user.setter
    def user(self, value: Any) -> None:
        self._user = self._request.user = value

    def may(self, permission: str) -> bool:
        """Whether who asks has the permission. What a token's user may was found out with the token."""
        token = self.__dict__.get("_auth") or self.auth  # by itself, which is looked for in less time
        return permission in token.permissions if isinstance(token, Token) else self.user.has_perm(permission)

    def may_see(self, owner_id: UUID, permission: str) -> bool:
        """Whether what the owner has exists for who asks: it is their own, or they have the permission."""
        return self.user.pk == owner_id or self.may(permission)


class ApiViewSet(GenericViewSet[AnyModel]):
    """A `GenericViewSet` that keeps the instances of its parsers, authenticators and permissions.

    They hold no state of a request, so that all requests can share them. Throttles and versions are looked at
    where a view has them. All else is DRF's, and so is everything for responses that are not an `Answer`.
    What an action's `request_serializers` say is read before the action: of a GET the query, else the body.
    """

    authentication_classes = [TokenAuthentication]
    permission_classes = [HasPermission]
    permissions: ClassVar[dict[str, str | tuple[str, ...]]] = {}
    request_serializers: ClassVar[dict[str, type[StrictSerializer]]] = {}
    dry_runs: ClassVar[tuple[str, ...]] = ()  # the actions that take `dry_run`
    deprecations: ClassVar[dict[str, Deprecation]] = {}  # by actions
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]  # OPTIONS: see the document
    format_kwarg = None
    request: Request

    def get_parsers(self) -> list[Any]:
        return make_instances(tuple(self.parser_classes))

    def get_authenticators(self) -> list[Any]:
        return make_instances(tuple(self.authentication_classes))

    def get_permissions(self) -> list[Any]:
        return make_instances(tuple(self.permission_classes))

    def get_content_negotiator(self) -> Any:
        return make_instances((self.content_negotiation_class,))[0]

    @property
    def default_response_headers(self) -> dict[str, str]:
        headers = {"Allow": list_methods(type(self), *self.action_map)}
        if len(self.renderer_classes) > 1:
            headers["Vary"] = "Accept"
        if self.action in self.deprecations:
            headers |= self.deprecations[self.action].to_headers()
        return headers

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        self.action = self.action_map.get((request.method or "").lower())  # type: ignore[assignment]
        return Request(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        if self.throttle_classes or self.versioning_class or len(self.renderer_classes) > 1:
            super().initial(request, *args, **kwargs)
        else:
            request._authenticate()  # what `perform_authentication` comes to
            self.check_permissions(request)
        if request.method not in SAFE_METHODS and (user := request.user).is_authenticated:
            request.caller = Caller(user.pk, user.kind, request.id)
        if serializer := self.request_serializers.get(self.action):
            request.asked = self.read(request, serializer)

    def read(self, request: Request, serializer: type[StrictSerializer]) -> dict[str, Any]:
        """What was sent, each value checked. Raises `InvalidRequest` with everything that is wrong."""
        if request.method in SAFE_METHODS:
            return serializer.read_query(request)
        if request.META.get("QUERY_STRING"):
            query = DryRunQuery if self.action in self.dry_runs else NoFields
            request.is_dry_run = query.read_query(request).get("dry_run", False)
        if serializer.body_is_optional and not request.has_body:
            return {}
        return serializer.read(request.data)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """As DRF's. A view and its request know each other, and the view its methods: with that undone, all
        that was of the request is freed at once, where the collector would take a fifth of its time.
        """
        response = super().dispatch(request, *args, **kwargs)
        if not isinstance(response, Response):  # which will ask them when it is rendered
            self.request.parser_context.clear()
            vars(self).clear()
        return response

    def finalize_response(self, request: drf.Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if type(response) is not Answer:
            return super().finalize_response(request, response, *args, **kwargs)
        kept = response.headers._store
        for name, value in self.headers.items():
            kept[name.lower()] = (name, value)
        return response

    def narrow_to_own(self, rows: QuerySet[AnyModel], *, permission: str, owner: str) -> QuerySet[AnyModel]:
        """All rows for who has the permission, else the caller's own: what is not theirs does not exist."""
        if self.request.may(permission):
            return rows
        return rows.filter(**{owner: self.request.user.pk})


class ResourceViewSet(ApiViewSet[AnyModel]):
    """Lists rows, newest first and filtered, and shows one of them: each as its `to_dict` has it."""

    filter_backends = [StrictFilterBackend]
    filterset_class: type[FilterSet] = FilterSet
    pagination_class = KeysetPagination

    def list(self, request: Request) -> Any:
        rows: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([row.to_dict() for row in rows])

    def retrieve(self, request: Request, pk: Any) -> Any:
        row: Any = self.get_object()
        return Response(row.to_dict())


@cache
def make_instances(classes: tuple[Any, ...]) -> list[Any]:
    return [make() for make in classes]


@cache
def list_methods(view: type[View], *methods: str) -> str:
    """As `allowed_methods`, of a view whose actions answer these methods."""
    return ", ".join(
        method.upper() for method in view.http_method_names if method in methods or hasattr(view, method)
    )
