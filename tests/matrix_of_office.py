"""The pages of the back office, for `tests/matrix.py`: a new model is a new line in `OFFICE_MODELS`."""

# The right that shows a model to staff; None: superusers only.
OFFICE_MODELS = {
    "accounts/user": "accounts.view_user",
    "accounts/account": "accounts.view_account",
    "accounts/hold": "accounts.view_hold",
    "transactions/transaction": "transactions.view_transaction",
    "auth/group": None,
    "knox/authtoken": None,
}
# What GET and POST answer to staff who may view the model: it can be looked at, and nothing else.
MODEL_PAGES = {
    "": (200, 200),
    "add/": (403, 403),
    "{object_id}/": (302, 302),
    "{object_id}/change/": (200, 403),
    "{object_id}/delete/": (403, 403),
    "{object_id}/history/": (200, 200),
}
SITE_PAGES = (
    "",
    "logout/",
    "password_change/",
    "password_change/done/",
    "autocomplete/",
    "jsi18n/",
    "r/{content_type_id}/{object_id}/",
    "{app_label}/",
    "{url}",
)
