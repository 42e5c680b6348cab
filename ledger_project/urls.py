"""All public URLs on one screen."""

from typing import Any

from django.contrib import admin
from django.urls import path, register_converter
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerView

from accounts.views import AccountViewSet, UserViewSet
from api.schema import UUIDConverter
from ledger_project import health, metrics
from transactions.views import BalanceViewSet, TransactionViewSet

register_converter(UUIDConverter, "id")

COLLECTION: Any = {"get": "list", "post": "create"}
MEMBER: Any = {"get": "retrieve", "patch": "partial_update"}

urlpatterns = [
    path("api/v1/users", UserViewSet.as_view(COLLECTION)),
    path("api/v1/users/<id:pk>", UserViewSet.as_view(MEMBER)),
    path("api/v1/users/<id:pk>/balance", BalanceViewSet.as_view({"get": "of_user"})),
    path("api/v1/accounts", AccountViewSet.as_view(COLLECTION)),
    path("api/v1/accounts/<id:pk>", AccountViewSet.as_view(MEMBER)),
    path("api/v1/accounts/<id:pk>/balance", BalanceViewSet.as_view({"get": "of_account"})),
    path("api/v1/transactions", TransactionViewSet.as_view(COLLECTION)),
    path("api/v1/transactions/<id:pk>", TransactionViewSet.as_view({"get": "retrieve"})),
    path("api/schema", SpectacularJSONAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="schema")),
    path("admin/", admin.site.urls),
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("metrics", metrics.serve_metrics),
]

handler400 = "api.errors.bad_request"
handler404 = "api.errors.page_not_found"
handler500 = "api.errors.server_error"
