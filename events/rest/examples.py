"""The examples of the OpenAPI document: one story, which a test replays against a server."""

from rest.schema import answered, sent

SUBSCRIPTION_ID = "01910000-0000-7000-8000-00000000f001"
CURSOR = "9b2e4d1c0a7f4e6b8c3d5f7a9b1c2d3e-2"
START = "9b2e4d1c0a7f4e6b8c3d5f7a9b1c2d3e-0"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="  # noqa: S105, nobody's
URL = "https://ads.example.com/ledger"
SUBSCRIPTION: dict[str, object] = {
    "id": SUBSCRIPTION_ID,
    "kind": "webhook",
    "url": URL,
    "types": ["transaction.posted"],
    "status": "ACTIVE",
    "cursor": CURSOR,
    "lag": {"events": 0, "seconds": 0.0},
    "attempts": 0,
    "next_attempt_at": None,
    "sent": 0,
    "failed": 0,
    "unroutable": 0,
    "last_sent_at": None,
    "last_error": None,
    "last_error_at": None,
    "created_at": "2026-01-01T12:00:00.000000Z",
}
CREATE_SUBSCRIPTION = [
    sent("a webhook", {"kind": "webhook", "url": URL, "types": ["transaction.posted"]}),
    answered("subscribed", {**SUBSCRIPTION, "secret": SECRET}, 201),
]
CHANGE_SUBSCRIPTION = [
    sent("all types", {"types": []}),
    answered("done", {**SUBSCRIPTION, "types": []}),
]
PAUSE = [answered("done", {**SUBSCRIPTION, "status": "PAUSED"})]
RESUME = [answered("done", SUBSCRIPTION)]
REPLAY = [
    sent("all that is kept", {}),
    answered("done", {**SUBSCRIPTION, "cursor": START, "lag": {"events": 2, "seconds": 0.25}}),
]
ROTATE_SECRET = [answered("done", {**SUBSCRIPTION, "secret": SECRET})]
TEST = [
    answered("done", {"delivered": False, "error": "ConnectError: The name of the host does not resolve."})
]
