"""Where this API answers a bad input otherwise than the catalogue wants, and why.

Each is asserted to the letter, and one that is not needed any more fails.
"""

from typing import NamedTuple


class Difference(NamedTuple):
    status: int
    code: str | None
    reason: str


LISTED: dict[str, dict[tuple[int, str | None], str]] = {
    "a JSON number is read from its digits, so it may be an amount; what it must not be is told": {
        (201, None): "AMO-063",
        (400, "amount_invalid"): "AMO-017 AMO-018 AMO-065",
        (400, "amount_too_large"): "AMO-051",
        (400, "amount_scale"): "AMO-064",
        (400, "amount_not_positive"): "AMO-066",
    },
    "a body over 64 KiB is not read, and the code says body": {
        (413, "body_too_large"): "AMO-050 AMO-052 JSO-037 JSO-038 JSO-040 JSO-041 USE-011",
    },
    "chunked bodies are refused as such, whatever Content-Length says": {
        (411, "length_required"): "JSO-046",
    },
    "an identity is an id or a key: the codes speak of both": {
        (400, "identity_required"): "IDE-001 IDE-023",
        (400, "two_identities"): "IDE-032",
    },
    "a key is 1 to 255 printable ASCII characters, not a structured field": {
        (201, None): "IDE-025 IDE-030",
    },
    "two header lines are one with a comma, which is a key like any other: sent again, it is the same": {
        (201, None): "IDE-031",
    },
    "one id space for all callers; who may not see the first one is not told what differs": {
        (422, "idempotency_key_reused"): "IDE-042",
    },
    "declined for funds is 402": {
        (402, "insufficient_funds"): "IDE-045 BUS-003 BUS-004 BUS-014 BUS-015 BUS-029",
    },
    "a precondition is `expected_version`, and its code version_mismatch": {
        (412, "version_mismatch"): "BUS-038",
    },
    "codes of the same meaning have other names here": {
        (422, "same_account"): "BUS-011",
        (422, "hold_not_open"): "BUS-019 BUS-020 BUS-023",
        (400, "duplicate_id"): "BUS-036",
    },
    "what a hold has left is one of the limits of a withdrawal": {
        (422, "limit_exceeded"): "BUS-018",
    },
    "a hold may last as long as it is asked to": {
        (201, None): "BUS-017",
    },
    "a reversal takes back the whole amount: there is nothing to say of it": {
        (400, "unknown_field"): "BUS-030",
    },
    "an empty list is as good as none": {
        (400, "required"): "BUS-034",
    },
    "a batch has a code of its own, and each of its transactions the reason in its result": {
        (422, "batch_declined"): "BUS-037",
    },
    "metadata is texts by texts, which is looked at before what is in them": {
        (400, "metadata_invalid"): "TEX-003 TEX-007 TEX-012",
    },
    "a time without an offset is in `tz`, by default UTC": {
        (201, None): "TIM-001",
        (200, None): "TIM-044",
    },
    "a future time is malformed for good: 400, and burns no id": {
        (400, "effective_at_in_future"): "TIM-037 TIM-038",
    },
    "no closed periods: what arrives late is marked late": {
        (201, None): "TIM-041",
    },
    "a date is given in `at` itself; there is no parameter `date`": {
        (400, "unknown_parameter"): "TIM-047",
    },
    "names of users are free text and need not be unique; external_id is": {
        (201, None): "USE-002 USE-003 USE-004 USE-005 USE-006 USE-016",
    },
    "users have no password in the API": {
        (400, "unknown_field"): "USE-009 USE-010",
    },
    "the client may choose an id, if it is a UUID": {
        (400, "id_invalid"): "USE-013",
    },
    "a long address is one that is not there": {
        (404, "not_found"): "PAT-015",
    },
    "a list with the filter of another's account is empty, as for one that is not there": {
        (200, None): "PAT-019",
    },
    "a holder's token writes nothing, whose account it may be": {
        (403, "permission_denied"): "PAT-024 PAT-025 PAT-026 PAT-028 PAT-030",
    },
    "a long url is a text that is too long": {
        (400, "too_long"): "WEB-036",
    },
    "no filter by amount": {
        (400, "unknown_parameter"): "LIS-037",
    },
    "no search: `reference` is compared as a whole": {
        (200, None): "LIS-043",
    },
    "bounds that leave nothing between them find nothing": {
        (200, None): "LIS-044",
    },
    "X-Forwarded-Proto is nobody's word unless a proxy is set up": {
        (200, None): "AUT-018",
    },
    "sessions are none of the API's: a cookie is no token": {
        (401, "not_authenticated"): "AUT-019",
    },
    "the server reads headers of up to some 400 kB and forgets them": {
        (200, None): "AUT-021",
    },
    "limits of rate are the proxy's": {
        (200, None): "AUT-023",
    },
}
DIFFERENCES = {
    id: Difference(status, code, reason)
    for reason, answers in LISTED.items()
    for (status, code), ids in answers.items()
    for id in ids.split()
}
