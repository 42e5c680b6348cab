"""A shop of its own, with a database of its own: what a Django project that has the outbox looks like."""
