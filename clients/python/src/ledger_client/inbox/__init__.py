"""A book of places in Django's own database, for a `feed.Consumer` that has its effects there.

`INSTALLED_APPS` has `ledger_client.inbox`; `DjangoBook` of `ledger_client.inbox.book` is what the consumer
is given.
"""
