from typing import ClassVar

from django.db import models


class Order(models.Model):
    """What somebody buys, paid by a withdrawal of the ledger's."""

    customer = models.UUIDField()
    price = models.DecimalField(max_digits=12, decimal_places=2)
    payment = models.UUIDField(unique=True)  # the id of its command, made before the first try
    state = models.CharField(max_length=10, default="ordered")
    told = models.PositiveIntegerField(default=0)  # so often of an answer

    objects: ClassVar[models.Manager["Order"]] = models.Manager()

    class Meta:
        app_label = "shop"

    def __str__(self) -> str:
        return f"order {self.pk}"


class Sum(models.Model):
    """What was posted on an account, as the shop has heard of it."""

    account = models.UUIDField(primary_key=True)
    total = models.DecimalField(max_digits=12, decimal_places=2, default=0)

    objects: ClassVar[models.Manager["Sum"]] = models.Manager()

    class Meta:
        app_label = "shop"

    def __str__(self) -> str:
        return f"{self.account}: {self.total}"
