"""What the OpenAPI document is, for drf-spectacular: its frame, and what is done to all of it.

`rest.schema` describes operations, and the packages say what theirs are.
"""

from typing import Any

from ledger import __version__
from rest.document.introduction import INTRODUCTION, TAGS

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Ledger",
    "DESCRIPTION": INTRODUCTION,
    "VERSION": __version__,
    "OAS_VERSION": "3.1.0",
    "LICENSE": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
    "CONTACT": {"name": "Whoever runs this ledger"},
    "SERVERS": [
        {"url": "/", "description": "The ledger that serves this document"},
        {"url": "http://localhost:8080", "description": "Your own, after `make run`"},
    ],
    "TAGS": [{"name": name, "description": description} for name, description in TAGS.items()],
    "WEBHOOKS": ["transactions.rest.events.WEBHOOK"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"persistAuthorization": True, "tryItOutEnabled": True},
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_PATCH": False,  # a change has a shape of its own, each field required or not
    "POSTPROCESSING_HOOKS": [
        "rest.document.finishing.finish",
        "transactions.rest.events.finish_webhook",
        "transactions.rest.examples.name_in_addresses",
        "drf_spectacular.hooks.postprocess_schema_enum_id_removal",
    ],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {  # lists of values with a name; the others stand where they are used
        "AccountStatus": "accounts.models.Account.Status",
        "ActorKind": "ledger.callers.ActorKind",
        "ClaimStatus": "accounts.models.Claim.Status",
        "HoldStatus": "accounts.models.Hold.Status",
        "EventType": "events.models.Event.Type",
        "SubscriptionKind": "events.models.Subscription.Kind",
        "SubscriptionStatus": "events.models.Subscription.Status",
        "ThresholdOf": "accounts.models.Threshold.Of",
        "TransactionType": "transactions.models.Transaction.Type",
        "TransactionStatus": "transactions.models.Transaction.Status",
    },
}
