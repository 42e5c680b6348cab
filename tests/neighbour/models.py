from django.db import models


class Purchase(models.Model):
    """What was bought: there is one exactly if it was paid."""

    order = models.UUIDField(primary_key=True)  # the id of the transaction that paid for it
    account = models.ForeignKey("accounts.Account", models.PROTECT, related_name="+")
    title = models.CharField(max_length=50)

    class Meta:
        app_label = "neighbour"

    def __str__(self) -> str:
        return self.title
