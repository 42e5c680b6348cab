"""What the OpenAPI document tells first, and of each of its chapters."""

INTRODUCTION = """
Users' money: deposits, withdrawals and balances, now and at any moment.

A **user** has **accounts**, each with a balance in one currency. Money moves by **transactions** (a deposit
or a withdrawal), by **transfers** between accounts, and by **captures** of what a **hold** has set aside.
Nothing is changed afterwards: what was wrong is reversed by another transaction.

## Tokens

Send `Authorization: Bearer <token>` with every request. An operator makes a token with `manage.py
issue_token NAME`; it ends after 90 days unless another time was asked for. `GET /api/v1/me` tells whose
token it is, what it may and until when. A 401 says by its `code` whether there was no token, a wrong one,
or one whose time is over; a 403 names the permission that is missing. What you may not see is answered like
what is not there: 404.

## Ids and retries

Every command of money has an identity that you choose: the field `id`, a UUID (best of version 7), or the
header `Idempotency-Key`, 1 to 255 printable ASCII characters, from which the id is derived for the user of
the token. Store it before the first attempt. Sent again, the same command is answered again as it was
decided, with the header `Idempotency-Replayed: true`, and nothing moves twice. The same identity with
another command is a 422 `idempotency_key_reused`.

The whole rule: **send the same request with the same identity again after a network error, 408, 409, 429
and 5xx**, after what `Retry-After` says where it stands. Every other 4xx is final. A decline (402, some 412
and 422) is recorded under its identity for ever: for a new attempt take a new one. Do not follow redirects:
there are none.

## Amounts and times

Amounts are texts like `"100.00"`, in units of the currency: a JSON number is refused, since 100 is one
client's 1.00 and another's 100.00. Times are RFC 3339; answers have them in UTC, in microseconds. Where a
time is asked for, a date alone is the end of that day.

## Errors

Every failure is `application/problem+json` (RFC 9457). `code` is the contract: `detail` is for people and
may change. What is wrong with fields stands in `errors`, each with a `pointer` (`/amount` of the body,
`?at` of the query). The particulars of a rule are members of the problem, by status: a 402 has `available`
and `required`. `type` is the address of a page of this ledger that explains the code; `/errors` has all.

## Lists

`GET` of a list answers `{"next", "next_cursor", "previous", "results"}`, newest first. `next` is the
address of the next page, or null; send the same filters with `next_cursor` as `cursor` if you would rather.
A cursor is bound to you and to the filters. A page has up to `page_size` rows, 50 if you do not say.
Unknown fields and parameters are refused, never ignored.

## What may change within v1

New fields in answers, new operations, new optional fields and parameters, new codes of problems and new
types of events. Codes and types are therefore plain strings here, with those of today as
`x-extensible-enum`; take an event of a type that you do not know for one that does not concern you, and a
problem of a code that you do not know for what its status says. Lists of values that stand as `enum` are
complete.

What is to go away goes at least 180 days after it was said: here by `deprecated`, in every answer of the
operation by the headers `Deprecation` (since when), `Sunset` (until when) and `Link` (what to use instead).
Nothing is deprecated today.
""".strip()

TAGS = {
    "Users": "Account holders. Each has at least one account, called `main`.",
    "Accounts": "One balance in one currency for one user, and its rules: limits, freezing, closing.",
    "Balances": "What an account has, had, or was known to have at any moment; and its statement.",
    "Transactions": "Deposits and withdrawals, posted or declined, and their reversals.",
    "Transfers": "Money from one account to another: both legs are posted, or none.",
    "Holds": "Funds set aside now, captured or released later.",
    "Claims": "What an account owes: collected from whatever comes in.",
    "Thresholds": "Amounts whose crossing is told by an event.",
    "Batches": "Up to 1,000 commands of any kinds in one request and one commit.",
    "Events": "What happened, in one order without gaps.",
    "Subscriptions": "Who is told of events: webhooks, and a broker.",
    "Token": "Who you are to the ledger.",
}
