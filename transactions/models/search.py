"""What is found by part of it: people by their names, money by what stands on it.

Made from the ledger, a moment behind it, by `transactions.search`; never part of its proof, and at any time
made of it again. `keys` are what `transactions.search.keys` makes: what is found by them is looked at again.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from accounts.models import MoneyField


class SearchedPerson(models.Model):
    """An account holder, by the words of the name, the external id and ways to reach them, all folded."""

    user_id = models.UUIDField(primary_key=True)
    name = models.TextField(help_text="Its words, with a space between")
    external_id = models.TextField(help_text="Its words; empty: none")
    contacts = ArrayField(models.TextField(), help_text="E-mail addresses, and the digits of phone numbers")
    keys = ArrayField(models.IntegerField())

    class Meta:
        default_permissions = ()
        # Without a list of what is pending, which every search would read.
        indexes = [GinIndex(fields=["keys"], fastupdate=False, name="person_by_key")]

    def __str__(self) -> str:
        return f"person {self.user_id}"


class SearchedReference(models.Model):
    """A transaction or a hold by the parts of its reference, if it has one and nobody has to be forgotten."""

    pk = models.CompositePrimaryKey("id", "is_hold")
    id = models.UUIDField()
    is_hold = models.BooleanField()
    recorded_at = models.DateTimeField()
    reference = models.TextField(help_text="Its words")
    keys = ArrayField(models.IntegerField())

    class Meta:
        default_permissions = ()
        # A list of what is pending costs less than half, and is short: a search reads all of it.
        indexes = [
            GinIndex(fields=["keys"], fastupdate=True, gin_pending_list_limit=128, name="reference_by_key")
        ]

    def __str__(self) -> str:
        return f"{'hold' if self.is_hold else 'transaction'} {self.id}"


class SearchedAmount(models.Model):
    """A transaction by its amount, or a hold by each amount that it has had, at the moment of its effect; of
    a transaction that was recorded at another one, at that, too.

    Every transaction stands here: so it is as little as can be, and written without leaving the database.
    """

    pk = models.CompositePrimaryKey("amount", "at", "id", "is_hold")
    amount = MoneyField()
    at = models.DateTimeField()
    id = models.UUIDField()
    is_hold = models.BooleanField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.amount} of {'hold' if self.is_hold else 'transaction'} {self.id}"


class SearchedTerm(models.Model):
    """A transaction by something that only some have, and by the moments that amounts stand at.

    A term is a hash of `metadata.KEY=value`, `decline_reason=…`, or, of those that took effect at another
    moment than they were recorded, of `moved`: these stand at their effect alone.
    """

    pk = models.CompositePrimaryKey("term", "at", "id")
    term = models.BigIntegerField()
    at = models.DateTimeField()
    id = models.UUIDField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"term of transaction {self.id}"


class SearchState(models.Model):
    """One row: up to which position of the feed it is known what happened; who moves it holds its lock.

    While all is made anew, `rebuilding` says of what the rows come next: the newest first, those before
    (`before_at`, `before_id`).
    """

    class Rebuilding(models.TextChoices):
        NOTHING = "", "nothing"
        PEOPLE = "people"
        TRANSACTIONS = "transactions"
        HOLDS = "holds"

    id = models.SmallIntegerField(primary_key=True, default=1)
    position = models.BigIntegerField(default=0)
    rebuilding = models.CharField(max_length=12, choices=Rebuilding, default=Rebuilding.NOTHING, blank=True)
    before_at = models.DateTimeField(null=True)
    before_id = models.UUIDField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="search_state_is_one_row")]

    def __str__(self) -> str:
        return f"known up to {self.position}"
