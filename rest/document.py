"""What the OpenAPI document is, for drf-spectacular; `rest.schema` has what is in it."""

from ledger import __version__

SPECTACULAR_SETTINGS = {
    "TITLE": "Ledger",
    "DESCRIPTION": "Users' money: deposits, withdrawals and balances, now and at any moment.",
    "VERSION": __version__,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"persistAuthorization": True, "tryItOutEnabled": True},
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_PATCH": False,  # a change has a shape of its own, each field required or not
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "rest.schema.tighten"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "AccountStatus": "accounts.models.Account.Status",
        "HoldStatus": "accounts.models.Hold.Status",
        "EventType": "events.models.Event.Type",
        "SubscriptionKind": "events.models.Subscription.Kind",
        "SubscriptionStatus": "events.models.Subscription.Status",
        "TransactionType": "transactions.models.Transaction.Type",
        "TransactionStatus": "transactions.models.Transaction.Status",
    },
}
