"""As of any project; where its PostgreSQL is and where the ledger is, is said by the tests."""

import os

SECRET_KEY = "of the tests of the outbox"
USE_TZ = True
INSTALLED_APPS = ["ledger_client.outbox", "ledger_client.inbox", "shop"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "postgres",
        "HOST": os.environ.get("SHOP_PGHOST", ""),
        "TEST": {"NAME": "shop_of_the_tests"},
    }
}
LEDGER_OUTBOX = {
    "URL": os.environ.get("LEDGER_URL", "http://localhost:8080"),
    "TOKEN": os.environ.get("LEDGER_TOKEN", "none"),
    "ON_DONE": "shop.money.on_done",
    "ON_REFUSED": "shop.money.on_refused",
    "PATIENCE_SECONDS": 0,
}
