"""The customers whom somebody has looked at last: in their session alone, and gone with it."""

from uuid import UUID

from django.http import HttpRequest

from accounts.models import User

SEEN_MAX = 10
SEEN = "office_seen"  # of the session: the ids, the last one first


def remember(request: HttpRequest, user_id: UUID) -> None:
    seen = [str(user_id), *request.session.get(SEEN, [])]
    request.session[SEEN] = list(dict.fromkeys(seen))[:SEEN_MAX]


def find_seen(request: HttpRequest) -> list[User]:
    """The last one first; whoever was forgotten since is not there."""
    ids = [UUID(id) for id in request.session.get(SEEN, [])]
    found = {user.pk: user for user in User.objects.filter(id__in=ids, erased_at=None)}
    return [found[id] for id in ids if id in found]
