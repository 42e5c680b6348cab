"""Finding accounts by what support staff have of their user."""

from uuid import UUID

from accounts.models import Account
from accounts.queries import find_users_by_words
from ledger.ids import UUID_TEXT

USERS_MAX = 50
ACCOUNTS_MAX = 1000


def find_account_ids(text: str) -> list[UUID]:
    """Of the account or user with that id, and of users with that external id or a name that begins so."""
    ids: list[UUID] = []
    user_ids = [user.id for user in find_users_by_words(text, limit=USERS_MAX)]
    if UUID_TEXT.fullmatch(text):
        user_ids.append(UUID(text))
        ids += Account._base_manager.filter(id=text).values_list("id", flat=True)
    theirs = Account._base_manager.filter(user_id__in=user_ids)
    return [*ids, *theirs.values_list("id", flat=True)[:ACCOUNTS_MAX]]
