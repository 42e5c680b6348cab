"""All public URLs on one screen."""

from typing import Any

from django.contrib import admin
from django.urls import path, register_converter
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerView

from accounts.rest.views import AccountViewSet, MeViewSet, UserViewSet
from events.rest.views import EventViewSet, SubscriptionViewSet
from ledger.values import UUIDConverter
from ledger_project import health, metrics
from transactions.rest.account_views import BalanceViewSet, RuleViewSet
from transactions.rest.batch_views import BatchViewSet
from transactions.rest.claim_views import ClaimViewSet
from transactions.rest.hold_views import HoldViewSet
from transactions.rest.threshold_views import ThresholdViewSet
from transactions.rest.views import TransactionViewSet, TransferViewSet

register_converter(UUIDConverter, "id")

COLLECTION: Any = {"get": "list", "post": "create"}
MEMBER: Any = {"get": "retrieve", "patch": "partial_update"}

urlpatterns = [
    path("api/v1/me", MeViewSet.as_view({"get": "retrieve"})),
    path("api/v1/users", UserViewSet.as_view(COLLECTION)),
    path("api/v1/users/<id:pk>", UserViewSet.as_view(MEMBER)),
    path("api/v1/users/<id:pk>/balance", BalanceViewSet.as_view({"get": "of_user"})),
    path("api/v1/accounts", AccountViewSet.as_view(COLLECTION)),
    path("api/v1/accounts/<id:pk>", RuleViewSet.as_view(MEMBER)),
    path("api/v1/accounts/<id:pk>/balance", BalanceViewSet.as_view({"get": "of_account"})),
    path("api/v1/accounts/<id:pk>/statement", BalanceViewSet.as_view({"get": "statement"})),
    path("api/v1/accounts/<id:pk>/limits", RuleViewSet.as_view({"post": "limits"})),
    path("api/v1/accounts/<id:pk>/freeze", RuleViewSet.as_view({"post": "freeze"})),
    path("api/v1/accounts/<id:pk>/unfreeze", RuleViewSet.as_view({"post": "unfreeze"})),
    path("api/v1/accounts/<id:pk>/close", RuleViewSet.as_view({"post": "close"})),
    path("api/v1/accounts/<id:pk>/claims", ClaimViewSet.as_view({"post": "create"})),
    path("api/v1/accounts/<id:pk>/thresholds", ThresholdViewSet.as_view(COLLECTION)),
    path("api/v1/thresholds/<id:pk>", ThresholdViewSet.as_view({"delete": "destroy"})),
    path("api/v1/transactions", TransactionViewSet.as_view(COLLECTION)),
    path("api/v1/transactions/<id:pk>", TransactionViewSet.as_view({"get": "retrieve"})),
    path("api/v1/transactions/<id:pk>/reverse", TransactionViewSet.as_view({"post": "reverse"})),
    path("api/v1/batches", BatchViewSet.as_view({"post": "create"})),
    path("api/v1/batches/<id:pk>", BatchViewSet.as_view({"get": "retrieve"})),
    path("api/v1/batches/<id:pk>/reverse", BatchViewSet.as_view({"post": "reverse"})),
    path("api/v1/transfers", TransferViewSet.as_view({"post": "create"})),
    path("api/v1/transfers/<id:pk>", TransferViewSet.as_view({"get": "retrieve"})),
    path("api/v1/holds", HoldViewSet.as_view(COLLECTION)),
    path("api/v1/holds/<id:pk>", HoldViewSet.as_view(MEMBER)),
    path("api/v1/holds/<id:pk>/capture", HoldViewSet.as_view({"post": "capture"})),
    path("api/v1/holds/<id:pk>/release", HoldViewSet.as_view({"post": "release"})),
    path("api/v1/claims", ClaimViewSet.as_view({"get": "list"})),
    path("api/v1/claims/<id:pk>", ClaimViewSet.as_view({"get": "retrieve"})),
    path("api/v1/claims/<id:pk>/waive", ClaimViewSet.as_view({"post": "waive"})),
    path("api/v1/events", EventViewSet.as_view({"get": "list"})),
    path("api/v1/subscriptions", SubscriptionViewSet.as_view(COLLECTION)),
    path("api/v1/subscriptions/<id:pk>", SubscriptionViewSet.as_view({**MEMBER, "delete": "destroy"})),
    path("api/v1/subscriptions/<id:pk>/pause", SubscriptionViewSet.as_view({"post": "pause"})),
    path("api/v1/subscriptions/<id:pk>/resume", SubscriptionViewSet.as_view({"post": "resume"})),
    path("api/v1/subscriptions/<id:pk>/replay", SubscriptionViewSet.as_view({"post": "replay"})),
    path(
        "api/v1/subscriptions/<id:pk>/rotate-secret", SubscriptionViewSet.as_view({"post": "rotate_secret"})
    ),
    path("api/v1/subscriptions/<id:pk>/test", SubscriptionViewSet.as_view({"post": "test"})),
    path("api/v1/subscriptions/<id:pk>/try-now", SubscriptionViewSet.as_view({"post": "try_now"})),
    path("api/v1/subscriptions/<id:pk>/attempts", SubscriptionViewSet.as_view({"get": "attempts"})),
    path("api/schema", SpectacularJSONAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="schema")),
    path("admin/", admin.site.urls),
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("metrics", metrics.serve_metrics),
]

handler400 = "rest.errors.bad_request"
handler404 = "rest.errors.page_not_found"
handler500 = "rest.errors.server_error"
