"""Personal text that events and the record tell of."""

import uuid_utils.compat
from django.db import models


class Text(models.Model):
    """Names, handles, metadata, reasons, searched words: what people may want to be forgotten.

    Events and entries of the record hold its id and its MAC, and show it when they are read. It is written
    once, and can only be erased, by setting `content` to null: no MAC, chain, feed or anchor breaks by that.
    """

    id = models.UUIDField(primary_key=True, default=uuid_utils.compat.uuid7, editable=False)
    owner = models.UUIDField(null=True, help_text="The user whom it is about, if it is known")
    content = models.JSONField(null=True, help_text="The parts by their places; null: erased")

    class Meta:
        indexes = [models.Index(fields=["owner"], name="text_of_an_owner")]

    def __str__(self) -> str:
        return f"text {self.id}"
