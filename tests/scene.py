"""Users of every role, each with one of everything, for `tests/test_matrix.py`."""

import re
from datetime import timedelta

from django.contrib.auth.models import Group
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import operations
from accounts.models import Token
from events import feed, subscriptions
from events.models import Subscription
from ledger.callers import Caller
from ledger_project.groups import GROUPS
from tests import asking, matrix
from tests.cast import CALLER, OrderFactory, UserFactory, deposit, hold, issue_token, new_id, transfer
from tests.claims import claim
from tests.matrix import FOREIGN, HOLDER, MISSING, OWN, ROLES, SERVICE, SINGLE
from transactions import posting
from transactions.posting import NewBatch


class Scene:
    """A user with money for every role, and one more who is a stranger to all of them."""

    def __init__(self, currency="USD"):
        self.users = {role: UserFactory(name=role, currency=currency) for role in (*ROLES, SERVICE, FOREIGN)}
        self.clients = {role: APIClient(raise_request_exception=False) for role in ROLES}
        for role in ROLES[1:]:  # the first has no token
            expiry = timedelta(seconds=-1 if role == "expired token" else 3600)
            token = issue_token(*{role} & set(GROUPS), user=self.users[role], expiry=expiry)
            if role == "bad token":
                token = token[:-1] + ("0" if token[-1] != "0" else "1")
            self.clients[role].credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        for permission in SINGLE:
            token = issue_token(*GROUPS, user=self.users[SERVICE], permissions=[permission])
            self.clients[permission] = APIClient(raise_request_exception=False)
            self.clients[permission].credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        type(self.users[HOLDER]).objects.filter(id=self.users["disabled user"].id).update(is_active=False)
        self.objects = {role: self.make_objects(user) for role, user in self.users.items()}
        self.missing = {name: new_id() for name in self.objects[FOREIGN]}
        while feed.place_pending():
            pass  # so that reading the feed changes nothing: every event has its place

    def make_objects(self, user):
        account = user.accounts.get()
        fields = {"user_id": user.id, "currency": account.currency, "caller": CALLER}
        spare, _ = operations.create_account(name="spare", **fields)
        savings, _ = operations.create_account(name="savings", **fields)
        debts, _ = operations.create_account(name="debts", **fields)
        deposit(account, "5")
        asking.freeze(id=spare.id, reason="spare", request_id="test")
        return {
            "user": user.id,
            "account": account.id,
            "spare": spare.id,
            "transaction": deposit(account, "10").id,
            "transfer": transfer(account, savings, "1").id,
            "batch": self.make_batch(user, account),
            "hold": hold(account, "1").id,
            "debts": debts.id,
            "claim": claim(debts, "1").id,
            "threshold": asking.set_threshold(account, "3").id,
            "subscription": self.subscribe(user),
            "group": Group.objects.earliest("id").id,
            "token": Token.objects.earliest("created").token_key,
        }

    def make_batch(self, user, account):
        """A list that the user sent, with a deposit."""
        batch = NewBatch(id=new_id(), asked=[], atomic=True)
        posting.post(
            [OrderFactory(account=account)], caller=Caller(user.id), all_or_nothing=True, batch=batch
        )
        return batch.id

    def subscribe(self, user):
        """Active, and with a failure behind it: so that every command to it changes something."""
        url = matrix.URL.format(new=user.name.replace(" ", "-"))
        made, _ = subscriptions.create(kind="webhook", url=url, caller=Caller(user.id))
        later = timezone.now() + timedelta(hours=1)
        Subscription.objects.filter(id=made.id).update(attempts=1, next_attempt_at=later)
        return made.id

    def fill(self, text, role, whose):
        """The text with the ids that its places stand for."""
        objects = {OWN: self.objects[SERVICE if role in SINGLE else role], MISSING: self.missing}.get(
            whose, self.objects[FOREIGN]
        )
        text = re.sub(r"^(admin/\w+/(\w+)/)\{object_id\}", r"\1{\2}", text)
        places = {**objects, "new": new_id(), "app_label": "accounts", "content_type_id": 1, "object_id": 1}
        return re.sub(r"\{(\w+)\}", lambda place: str(places.get(place[1], "nothing")), text)

    def ask(self, cell, query="", client=None):
        query = query or (cell.rule.query if cell.rule else "")
        path = "/" + self.fill(cell.route, cell.role, cell.whose) + query
        body = self.fill(cell.body, cell.role, cell.whose)
        asking = client or self.clients[cell.role]
        return asking.generic(cell.method, path, body, content_type="application/json")
