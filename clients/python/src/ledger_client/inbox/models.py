"""Up to where the ledger's events were heard."""

from typing import ClassVar

from django.db import models


class Place(models.Model):
    stream = models.UUIDField(primary_key=True)
    epoch = models.UUIDField()
    sequence = models.PositiveBigIntegerField()
    is_account = models.BooleanField()

    objects: ClassVar[models.Manager["Place"]] = models.Manager()

    def __str__(self) -> str:
        return f"{self.stream}.{self.sequence}"


class Note(models.Model):
    """The epoch, the cursor, and what else a consumer keeps."""

    name = models.CharField(max_length=50, primary_key=True)
    value = models.TextField(null=True)

    objects: ClassVar[models.Manager["Note"]] = models.Manager()

    def __str__(self) -> str:
        return self.name
