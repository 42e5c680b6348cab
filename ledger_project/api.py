"""What the frameworks of the API are told; no deployment changes it."""

from datetime import timedelta
from typing import Any

REST_FRAMEWORK: dict[str, Any] = {
    # A view that is no `rest.viewsets.ApiViewSet`, which say both themselves, is nobody's.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_PARSER_CLASSES": ["rest.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "rest.parsers.AlwaysJSON",
    "DEFAULT_METADATA_CLASS": None,  # no OPTIONS: the OpenAPI document describes the API
    "DEFAULT_SCHEMA_CLASS": "rest.schema.AutoSchema",
    "EXCEPTION_HANDLER": "rest.errors.handle_exception",
}
REST_KNOX: dict[str, Any] = {
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_TTL": timedelta(days=90),
    "SECURE_HASH_ALGORITHM": "hashlib.sha512",
}
