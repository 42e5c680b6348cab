"""DRF's viewsets, without what one parser, one renderer and no versions make superfluous in every request."""

from functools import cache
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from django.views import View
from django_filters import FilterSet
from rest_framework import request as drf
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from rest.answers import Answer
from rest.authentication import Token
from rest.lists import KeysetPagination, StrictFilterBackend

NO_FILES: MultiValueDict[str, Any] = MultiValueDict()
AnyModel = TypeVar("AnyModel", bound=Model)


class Request(drf.Request):
    """DRF's request, which knows its own id, and what its user may.

    What is asked of it most, and would go through `__getattr__`, is an attribute.
    """

    version = versioning_scheme = None

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
        token = self.auth
        return permission in token.permissions if isinstance(token, Token) else self.user.has_perm(permission)

    def may_see(self, owner_id: UUID, permission: str) -> bool:
        """Whether what the owner has exists for who asks: it is their own, or they have the permission."""
        return self.user.pk == owner_id or self.may(permission)


class ApiViewSet(GenericViewSet[AnyModel]):
    """A `GenericViewSet` that keeps the instances of its parsers, authenticators and permissions.

    They hold no state of a request, so that all requests can share them. Throttles and versions are looked at
    where a view has them. All else is DRF's, and so is everything for responses that are not an `Answer`.
    """

    permissions: ClassVar[dict[str, str]] = {}
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
        return headers

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        method = (request.method or "").lower()
        self.action = "metadata" if method == "options" else self.action_map.get(method)  # type: ignore[assignment]
        return Request(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )

    def initial(self, request: drf.Request, *args: Any, **kwargs: Any) -> None:
        if self.throttle_classes or self.versioning_class or len(self.renderer_classes) > 1:
            super().initial(request, *args, **kwargs)
            return
        request._authenticate()  # type: ignore[attr-defined]  # what `perform_authentication` comes to
        self.check_permissions(request)

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
