"""Every command of people of which no event tells, and what its entry in the record says."""

from decimal import Decimal

from accounts import staff, tokens
from events import subscriptions
from events.models import Cursor
from tests.cast import AccountFactory, new_id
from tests.claims import claim
from tests.names import NOBODY
from transactions import corrections
from transactions.models import Transaction

MEMBER = {"username": "olga", "name": "Olga", "is_staff": True, "is_active": True, "groups": ["support"]} | {
    "must_change_password": True
}
SUBSCRIBED = {"kind", "url", "types", "status", "cursor", "secret_generation"}
TOKEN = {
    *("user", "username", "created_at", "expires_at", "groups"),
    *("permissions", "account_names", "types", "amount_max"),
}
MADE = {
    *("kind", "account", "type", "amount", "reference", "reverses", "claim", "destination"),
    *("batch", "place", "batch_size", "made_at", "needs_approval", "status", "decided_at"),
}


def adjust_by(world, amount):
    return corrections.adjust(
        id=new_id(),
        account_id=world.account.id,
        type=Transaction.Type.DEPOSIT,
        amount=amount,
        reference="ticket 7",
        **world.why,
    )


# By its type, and what else tells it from others: the function, what is done, and what was so before and
# after, or the names of it.
COMMANDS = {
    "staff.created": (
        staff.create,
        lambda w: staff.create(username="olga", name="Olga", groups=["support"], **w.why),
        ({}, MEMBER),
    ),
    "staff.groups_changed": (
        staff.set_groups,
        lambda w: staff.set_groups(id=w.member.id, groups=["auditor"], **w.why),
        ({"groups": ["support"]}, {"groups": ["auditor"]}),
    ),
    "staff.deactivated": (
        staff.deactivate,
        lambda w: staff.deactivate(id=w.member.id, **w.why),
        ({"is_active": True}, {"is_active": False}),
    ),
    "staff.activated": (
        staff.activate,
        lambda w: staff.activate(id=w.gone.id, **w.why),
        ({"is_active": False}, {"is_active": True}),
    ),
    "staff.password_reset": (
        staff.reset_password,
        lambda w: staff.reset_password(id=w.member.id, **w.why),
        ({}, {"must_change_password": True}),
    ),
    "staff.time_zone_changed": (
        staff.set_time_zone,
        lambda w: staff.set_time_zone(time_zone="Europe/Moscow", caller=w.caller),
        ({"time_zone": "UTC"}, {"time_zone": "Europe/Moscow"}),
    ),
    "staff.second_factor_reset": (
        staff.reset_second_factor,
        lambda w: staff.reset_second_factor(id=w.member.id, **w.why),
        ({"has_second_factor": True}, {"has_second_factor": False}),
    ),
    "staff.unlocked": (
        staff.unlock,
        lambda w: staff.unlock(id=w.member.id, **w.why),
        ({"is_locked_out": False}, {"is_locked_out": False}),
    ),
    "token.issued": (
        tokens.issue,
        lambda w: tokens.issue(name="shop", groups=["api-read"], days=3, **w.why),
        ({"groups"}, {*TOKEN, "is_new_user"}),
    ),
    "token.revoked": (
        tokens.revoke,
        lambda w: tokens.revoke(token_key=w.token.token_key, **w.why),
        ({*TOKEN, "revoked_at"}, {"revoked_at"}),
    ),
    "subscription.created": (
        subscriptions.create,
        lambda w: subscriptions.create(kind="webhook", url=f"{NOBODY}other", caller=w.caller),
        (set(), SUBSCRIBED),
    ),
    "subscription.changed": (
        subscriptions.change,
        lambda w: subscriptions.change(id=w.told.id, types=["transaction.posted"], caller=w.caller),
        ({"types": []}, {"types": ["transaction.posted"]}),
    ),
    "subscription.paused": (
        subscriptions.pause,
        lambda w: subscriptions.pause(id=w.told.id, **w.why),
        ({"status": "ACTIVE"}, {"status": "PAUSED"}),
    ),
    "subscription.resumed": (
        subscriptions.resume,
        lambda w: subscriptions.resume(id=w.paused.id, **w.why),
        ({"status": "PAUSED"}, {"status": "ACTIVE"}),
    ),
    "subscription.tried_now": (
        subscriptions.try_now,
        lambda w: subscriptions.try_now(id=w.told.id, **w.why),
        (set(), set()),
    ),
    "subscription.replayed": (
        subscriptions.replay,
        lambda w: subscriptions.replay(id=w.told.id, after=Cursor(w.told.epoch, 0), **w.why),
        ({"cursor"}, {"cursor"}),
    ),
    "subscription.secret_rotated": (
        subscriptions.rotate_secret,
        lambda w: subscriptions.rotate_secret(id=w.told.id, caller=w.caller),
        ({"secret_generation": 1}, {"secret_generation": 2}),
    ),
    "subscription.deleted": (
        subscriptions.delete,
        lambda w: subscriptions.delete(id=w.told.id, **w.why),
        (SUBSCRIBED, set()),
    ),
    "correction.posted": (corrections.adjust, lambda w: adjust_by(w, Decimal(5)), (set(), MADE)),
    "correction.posted claim": (
        corrections.claim,
        lambda w: corrections.claim(
            id=new_id(), account_id=w.account.id, amount=Decimal(5), reference="7", destination=None, **w.why
        ),
        (set(), MADE),
    ),
    "correction.posted claim back": (
        corrections.claim_back,
        lambda w: corrections.claim_back(id=new_id(), transaction_id=w.row.id, amount=Decimal(5), **w.why),
        (set(), MADE),
    ),
    "correction.posted waiver": (
        corrections.waive,
        lambda w: corrections.waive(id=new_id(), claim_id=claim(AccountFactory(), "5").id, **w.why),
        (set(), MADE),
    ),
    "correction.proposed": (
        corrections.reverse,
        lambda w: corrections.reverse(id=new_id(), transaction_id=w.row.id, amount=w.row.amount, **w.why),
        (set(), MADE),
    ),
    "correction.proposed list": (
        corrections.reverse_all,
        lambda w: corrections.reverse_all(id=new_id(), transaction_ids=[w.row.id], **w.why),
        (set(), MADE),
    ),
    "correction.approved": (
        corrections.approve,
        lambda w: corrections.approve(id=w.waiting.id, **w.why),
        ({"status"}, {"status", "decided_at"}),
    ),
    "correction.rejected": (
        corrections.reject,
        lambda w: corrections.reject(id=w.waiting.id, **w.why),
        ({"status"}, {"status", "decided_at"}),
    ),
}
WITHOUT_REASON = {
    *("subscription.created", "subscription.changed", "subscription.secret_rotated"),
    "staff.time_zone_changed",
}
