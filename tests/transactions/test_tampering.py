"""A hundred ways to change the books behind the ledger's back, as superuser with the triggers off: all found.

Each change is made to a ledger with everything in it, audited, and taken back. What the audit alone cannot
see, a tail that was cut off together with all that tells of it, an anchor made before does.
"""

import random
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.transaction import atomic, set_rollback

from accounts.models import Account, Hold
from events import feed
from events.models import Event
from tests.cast import new_id
from tests.transactions.test_audit import harm, make_history, prove
from transactions import anchors
from transactions.models import Transaction

pytestmark = pytest.mark.django_db
ROWS, ACCOUNTS, HOLDS, EVENTS = (
    "transactions_transaction",
    "accounts_account",
    "accounts_hold",
    "events_event",
)
RANDOM = random.Random(77)

# How to change each column of a row: an expression over the row, fit for its constraints.
OTHER_ID = "gen_random_uuid()"
SOON = "interval '1 second'"
COLUMNS = {
    "id": OTHER_ID,
    "account_id": "(SELECT id FROM accounts_account WHERE status = 'CLOSED')",
    "type": "CASE type WHEN 'DEPOSIT' THEN 'WITHDRAW' ELSE 'DEPOSIT' END",
    "amount": "amount + 0.01",
    "reference": "reference || '!'",
    "metadata": 'metadata || \'{"x": "y"}\'',
    "effective_at_asked": f"coalesce(effective_at_asked, recorded_at) - {SOON}",
    "balance_after": "balance_after + 0.01",
    "version": "version + 1000",
    "recorded_at": f"recorded_at + {SOON}",
    "effective_at": f"effective_at - {SOON}",
    "late": "NOT late",
    "transfer": f"CASE WHEN transfer IS NULL THEN {OTHER_ID} END",
    "reverses": f"CASE WHEN reverses IS NULL THEN {OTHER_ID} END",
    "hold": f"CASE WHEN hold IS NULL THEN {OTHER_ID} END",
    "actor": OTHER_ID,
    "request_id": "request_id || '!'",
    "chain_hash": "sha256(chain_hash)",
    "decline_reason": "'account_closed'",
    "decline_details": 'decline_details || \'{"x": "y"}\'',
}
OF_ACCOUNTS = {
    "balance": "balance + 0.01",
    "held": "held + 0.01",
    "version": "version - 1",
    "event_sequence": "event_sequence + 1",
    "last_recorded_at": f"last_recorded_at + {SOON}",
    "last_effective_at": f"last_effective_at - {SOON}",
    "chain_head": "sha256(chain_head)",
    "withdrawn": "withdrawn + 1",
}
OF_EVENTS = {
    "type": "'account.opened'",
    "account_sequence": "account_sequence + 1000",
    "recorded_at": f"recorded_at + {SOON}",
    "data": 'data || \'{"amount": "1.00", "id": "x"}\'',
}


class Tampering:
    """One change: what is done, and what must be named by a finding."""

    def __init__(self, title, statement, *names):
        self.title, self.statement, self.names = title, statement, {str(name) for name in names}


def change(table, column, expression, id):
    return f"UPDATE {table} SET {column} = {expression} WHERE id = '{id}'"


def list_tamperings(account):
    rows = list(Transaction.objects.order_by("recorded_at"))
    posted = [row for row in rows if row.status == "POSTED"]
    declined = [row for row in rows if row.status == "DECLINED"]
    for _ in range(3):
        for column, expression in COLUMNS.items():
            choice = declined if column.startswith("decline") else posted
            row = RANDOM.choice(choice)
            names: list[object] = (
                [row.id, row.account_id] if column in ("account_id", "recorded_at") else [row.id]
            )
            if column == "id":  # the event that has lost its transaction knows the old one
                names = [Event.objects.get(data__id=str(row.id), type__startswith="transaction.").id]
            yield Tampering(f"{column} of {row}", change(ROWS, column, expression, row.id), *names)
    for column, expression in OF_ACCOUNTS.items():
        yield Tampering(
            f"{column} of the account",
            change(ACCOUNTS, column, expression, account.id),
            account.id,
            last(account),
        )
    told = Event.objects.filter(type="transaction.posted")
    for column, expression in OF_EVENTS.items():
        event = RANDOM.choice(told)
        yield Tampering(
            f"{column} of {event}", change(EVENTS, column, expression, event.id), event.id, event.data["id"]
        )
    yield from list_removals(account, posted, told)


def last(account):
    return Transaction.objects.filter(account=account).latest("recorded_at").id


def list_removals(account, posted, told):
    for row in RANDOM.sample(posted, 9):
        after = Transaction.objects.filter(account=row.account, recorded_at__gt=row.recorded_at)
        follower = after.earliest("recorded_at").id if after else row.account_id
        event = told.get(data__id=str(row.id))
        yield Tampering(f"{row} removed", f"DELETE FROM {ROWS} WHERE id = '{row.id}'", follower, event.id)
    for event in RANDOM.sample(list(told), 3):
        yield Tampering(
            f"{event} removed", f"DELETE FROM {EVENTS} WHERE id = {event.id}", event.data["id"], event.id + 1
        )
    for row in RANDOM.sample(posted, 9):
        forged = new_id()
        columns = ", ".join(field.column for field in Transaction._meta.concrete_fields)
        values = columns.replace("id,", f"'{forged}',", 1).replace("version", "version + 5000")
        values = values.replace("recorded_at", "recorded_at + interval '1 microsecond'").replace(
            "reverses", "NULL"
        )
        yield Tampering(
            f"a copy of {row} put in",
            f"INSERT INTO {ROWS} ({columns}) SELECT {values} FROM {ROWS} WHERE id = '{row.id}'",
            forged,
        )
    for first, second in zip(posted[:12:2], posted[1:12:2], strict=True):
        yield Tampering(
            f"amounts of {first} and {second} swapped",
            f"UPDATE {ROWS} SET amount = CASE id WHEN '{first.id}' THEN {second.amount} + 1"
            f" ELSE {first.amount} + 1 END WHERE id IN ('{first.id}', '{second.id}')",
            first.id,
            second.id,
        )
    for placed in Hold.objects.filter(account=account).order_by("created_at")[:2]:
        yield Tampering(
            f"captured of {placed}",
            change(HOLDS, "captured", "captured + 0.01", placed.id),
            placed.id,
            account.id,
        )


def test_a_hundred_changes_are_all_found_by_the_name_of_the_row():
    account = make_history()
    feed.read()
    assert prove().findings == []
    tamperings = list(list_tamperings(account))
    missed, unnamed = [], []
    for tampering in tamperings:
        with atomic():
            harm(tampering.statement)
            found = {finding.row for finding in prove().findings}
            set_rollback(True)
        if not found:
            missed.append(tampering.title)
        elif not found & tampering.names:
            unnamed.append((tampering.title, found))
    assert len(tamperings) >= 100
    assert (missed, unnamed) == ([], [])
    assert prove().findings == []


def cut_tail(account):
    """Remove the account's last transaction and all that tells of it, and patch the account to fit."""
    rows = Transaction.objects.filter(account=account).order_by("-recorded_at")
    gone, before = rows[0], rows[1]
    harm(f"DELETE FROM {EVENTS} WHERE data ->> 'id' = %s", str(gone.id))
    harm(f"DELETE FROM {ROWS} WHERE id = %s", gone.id)
    posted = Transaction.objects.filter(account=account, status="POSTED")
    newest = posted.latest("version")
    told = Event.objects.filter(account_id=account.id).latest("account_sequence")
    harm(
        f"UPDATE {ACCOUNTS} SET balance = %s, version = %s, chain_head = %s, last_recorded_at = %s,"
        " last_effective_at = %s, event_sequence = %s, withdrawn = 0, withdrawn_on = NULL WHERE id = %s",
        newest.balance_after,
        newest.version,
        bytes(before.chain_hash),
        before.recorded_at,
        posted.latest("effective_at").effective_at,
        told.account_sequence,
        account.id,
    )
    return gone


@pytest.fixture
def anchor(tmp_path):
    """A ledger with everything in it, anchored."""
    account = make_history()
    file = tmp_path / "anchor.jsonl"
    call_command("export_anchor", str(file), stdout=StringIO())
    return account, file


def verify(file, *arguments):
    output = StringIO()
    try:
        call_command("verify_anchor", str(file), *arguments, stdout=output, stderr=output)
    except SystemExit as end:
        return end.code, output.getvalue()
    return 0, output.getvalue()


def test_a_cut_tail_that_fits_is_found_by_the_anchor(anchor):
    account, file = anchor
    assert verify(file) == (0, "Everything that was anchored is there, unchanged.\n")
    cut_tail(account)
    assert {finding.check for finding in prove(accounts=(account.id,)).findings} <= {"withdrawn"}
    status, text = verify(file)
    assert status == 1
    assert str(account.id) in text
    assert "cut off or removed" in text


def test_a_history_written_anew_with_the_right_key_is_found_by_the_anchor(anchor, settings):
    account, file = anchor
    rows = list(Transaction.objects.filter(account=account).order_by("recorded_at"))
    rows[0].reference = "never happened so"
    link = b""
    for row in rows:
        link = anchors_of_an_insider(link, row)
        harm(f"UPDATE {ROWS} SET reference = %s, chain_hash = %s WHERE id = %s", row.reference, link, row.id)
    harm(f"UPDATE {ACCOUNTS} SET chain_head = %s WHERE id = %s", link, account.id)
    assert [finding for finding in prove().findings if finding.check == "chain"] == []
    status, text = verify(file)
    assert status == 1
    assert "was changed" in text


def anchors_of_an_insider(previous, row):
    from transactions import chain

    return chain.compute_hash(previous, row)


def test_what_comes_after_an_anchor_is_no_finding(anchor):
    from tests.cast import deposit

    account, file = anchor
    deposit(account, "1")
    assert verify(file)[0] == 0


def test_a_changed_anchor_or_one_of_a_stranger_is_refused(anchor, settings, tmp_path):
    account, file = anchor
    whole = file.read_text()
    for forged in (
        whole.replace('"version":1', '"version":0', 1).replace(str(account.id), str(new_id()), 1),
        "\n".join(whole.splitlines()[:-1]),
        whole.replace("ledger-anchor-1", "ledger-anchor-2"),
        "",
        "x\ny\n",
    ):
        file.write_text(forged)
        assert verify(file)[0] == 2
    file.write_text(whole)
    old = anchors.get_public_key()
    settings.ANCHOR_KEY = "another key"
    assert verify(file)[0] == 2
    assert verify(file, "--public-key", old)[0] == 0
    settings.ANCHOR_PUBLIC_KEYS = [old]
    assert verify(file)[0] == 0
    assert verify(tmp_path / "nothing")[0] == 2


def test_after_a_new_chain_key_older_rows_are_verified_with_the_older_one(settings):
    from tests.cast import deposit

    account = make_history()
    settings.CHAIN_KEY_FALLBACKS = [settings.CHAIN_KEY]
    settings.CHAIN_KEY = "a new one"
    deposit(account, "1")
    assert prove().findings == []
    settings.CHAIN_KEY_FALLBACKS = []
    assert {finding.check for finding in prove().findings} == {"chain"}


def test_the_public_key_can_be_printed():
    output = StringIO()
    call_command("export_anchor", "--public-key", stdout=output)
    assert output.getvalue().strip() == anchors.get_public_key()


def test_every_column_is_tampered_with():
    columns = {field.column for field in Transaction._meta.concrete_fields}
    assert columns - set(COLUMNS) == {"status"}  # cannot be changed alone: constraints
    assert Account._meta.get_field("credit_limit_max")
