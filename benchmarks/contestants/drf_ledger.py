"""A ledger as DRF's tutorial would write it: a `ModelViewSet`, `select_for_update` in `atomic`, tokens.

`python -m benchmarks.contestants.drf_ledger FILE_OF_IDS` makes the tables and prints a token; then
`granian --interface wsgi benchmarks.contestants.drf_ledger:application`. This module is the whole project.
"""

import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of a benchmark",  # noqa: S106
    USE_TZ=True,
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework.authtoken",
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["PGDATABASE"],
            "USER": os.environ["PGUSER"],
            "HOST": os.environ["PGHOST"],
            "CONN_MAX_AGE": 600,
        }
    },
)
django.setup()

from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import connection, models
from django.db.transaction import atomic
from django.urls import path
from rest_framework.authentication import TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.permissions import IsAuthenticated
from rest_framework.serializers import ModelSerializer, ValidationError
from rest_framework.viewsets import ModelViewSet

FUNDS = Decimal(1_000_000)


class Account(models.Model):
    id = models.UUIDField(primary_key=True)
    balance = models.DecimalField(max_digits=28, decimal_places=8)

    class Meta:
        app_label = "ledger"


class Transaction(models.Model):
    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    type = models.CharField(max_length=8, choices=[("DEPOSIT", "deposit"), ("WITHDRAW", "withdrawal")])
    amount = models.DecimalField(max_digits=28, decimal_places=8)
    balance_after = models.DecimalField(max_digits=28, decimal_places=8)
    reference = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "ledger"


class TransactionSerializer(ModelSerializer):
    class Meta:
        model = Transaction
        fields = "__all__"
        read_only_fields = ["balance_after"]


class BearerAuthentication(TokenAuthentication):
    keyword = "Bearer"


class TransactionViewSet(ModelViewSet):
    queryset = Transaction.objects.all()
    serializer_class = TransactionSerializer
    authentication_classes = [BearerAuthentication]
    permission_classes = [IsAuthenticated]

    def perform_create(self, serializer: ModelSerializer) -> None:
        asked: dict[str, Any] = serializer.validated_data
        with atomic():
            account = Account.objects.select_for_update().get(pk=asked["account"].pk)
            account.balance += asked["amount"] if asked["type"] == "DEPOSIT" else -asked["amount"]
            if account.balance < 0:
                raise ValidationError("insufficient funds")
            account.save(update_fields=["balance"])
            serializer.save(balance_after=account.balance)


urlpatterns = [path("", TransactionViewSet.as_view({"post": "create"}))]
application = WSGIHandler()


def prepare(file: Path) -> str:
    """The tables, accounts of these ids, and a token of somebody."""
    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(Account)
        editor.create_model(Transaction)
    Account.objects.bulk_create(Account(id=id, balance=FUNDS) for id in file.read_text().split())
    token: str = Token.objects.create(user=User.objects.create_user("bench")).key
    return token


if __name__ == "__main__":
    print(prepare(Path(sys.argv[1])))
