"""What granian's workers load."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ledger_project.settings")

application = get_wsgi_application()

# What is loaded now stays for good: the collector, which would go through all of it every few requests, took
# a fifth of a worker's time.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 20)
