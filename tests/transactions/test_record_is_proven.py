"""The record and corrections, changed behind the ledger's back with the guards off: all found."""

from decimal import Decimal

import pytest
from django.db import IntegrityError
from django.db.transaction import atomic, set_rollback

from events import record
from events.models import RecordEntry
from ledger.callers import ActorKind, Caller
from tests.cast import AccountFactory, deposit, new_id, transfer
from tests.database import execute
from tests.office.staff import make_staff
from tests.transactions.correcting import WITHDRAW, adjust, approve, reject, reverse
from tests.transactions.test_audit import harm, prove
from transactions.models import Correction, Transaction

pytestmark = pytest.mark.django_db

ENTRIES, HEADS, TEXTS, CORRECTIONS = (
    "events_recordentry",
    "events_recordhead",
    "events_text",
    "transactions_correction",
)
ANNA, BORIS = (Caller(new_id(), ActorKind.STAFF, "request-1") for _ in range(2))
OTHER = new_id()
LAST = f"(SELECT max(number) FROM {ENTRIES} WHERE stream = '{ANNA.actor}')"
# How each column of an entry is changed. What is refused alone is changed together with another one.
COLUMNS = {
    "id": "id = id + 1000",
    "stream": f"stream = '{OTHER}', actor = '{OTHER}'",
    "number": "number = number + 1000",
    "recorded_at": "recorded_at = recorded_at + interval '1 microsecond'",
    "actor": f"actor = '{BORIS.actor}', stream = '{BORIS.actor}', number = 77",
    "actor_kind": "actor_kind = 'command'",
    "request_id": "request_id = 'y'",
    "type": "type = type || 'y'",
    "action": "action = 'EXPORT'",
    "subject": "subject = 'y'",
    "subject_id": "subject_id = 'y'",
    "data": 'data = data || \'{"detail": "y"}\'',
    "text": "text = NULL, text_mac = NULL",
    "text_mac": "text_mac = sha256(text_mac)",
    "chain_hash": "chain_hash = sha256(chain_hash)",
}


@pytest.fixture
def entries():
    """Of two people; the first one's are given back."""
    with atomic():
        for number in range(4):
            for caller in (ANNA, BORIS):
                record.write(
                    caller,
                    type="account.viewed",
                    action=record.Action.VIEW,
                    subject="account",
                    subject_id=new_id(),
                    detail=str(number),
                    reason=f"because {number}",
                )
    assert prove().findings == []
    return list(RecordEntry.objects.filter(stream=ANNA.actor).order_by("number"))


def find(statement, *parameters):
    """The table and row of each finding after this harm, which is taken back."""
    with atomic():
        harm(statement, *parameters)
        found = {(finding.table, finding.row) for finding in prove().findings}
        set_rollback(True)
    return found


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_of_an_entry_is_proven(entries, column):
    _, changed, after, _ = entries
    found = find(f"UPDATE {ENTRIES} SET {COLUMNS[column]} WHERE id = %s", changed.id)
    rows = {(ENTRIES, str(each.id)) for each in (changed, after)}
    assert found & rows, found


def test_all_columns_are_among_these():
    assert {field.column for field in RecordEntry._meta.concrete_fields} == set(COLUMNS)


def test_an_actor_alone_cannot_be_changed(entries):
    with pytest.raises(IntegrityError, match="entry_is_in_the_stream_of_its_actor"), atomic():
        harm(f"UPDATE {ENTRIES} SET actor = %s WHERE id = %s", OTHER, entries[1].id)


def test_an_emptied_log_is_found_by_its_heads(entries):
    heads = {(HEADS, str(caller.actor)) for caller in (ANNA, BORIS)}
    assert find(f"DELETE FROM {ENTRIES}") == heads


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_removed_entry_is_missed_by_the_next_one(entries, number):
    assert find(f"DELETE FROM {ENTRIES} WHERE id = %s", entries[number - 1].id) == {
        (ENTRIES, str(entries[number].id))
    }


def test_a_removed_last_one_is_missed_by_the_head(entries):
    assert find(f"DELETE FROM {ENTRIES} WHERE id = %s", entries[-1].id) == {(HEADS, str(ANNA.actor))}


@pytest.mark.parametrize(
    "statement",
    [
        # The last entry, and the head set back to the one before it.
        f"""
        WITH gone AS (DELETE FROM {ENTRIES} WHERE stream = '{ANNA.actor}' AND number = {LAST})
        UPDATE {HEADS} AS head SET number = last.number, recorded_at = last.recorded_at,
            chain_hash = last.chain_hash
        FROM {ENTRIES} AS last
        WHERE head.stream = '{ANNA.actor}' AND last.stream = head.stream AND last.number = {LAST} - 1
        """,
        # A whole stream with its head.
        f"WITH gone AS (DELETE FROM {HEADS} WHERE stream = '{ANNA.actor}')"
        f" DELETE FROM {ENTRIES} WHERE stream = '{ANNA.actor}'",
    ],
)
@pytest.mark.usefixtures("entries")
def test_plainly_an_end_that_is_cut_off_with_its_head_is_seen_by_an_anchor_alone(statement):
    assert find(statement) == set()


def test_swapped_and_renumbered_entries_are_found(entries):
    first, second = entries[:2]
    swap = f"CASE id WHEN {first.id} THEN 1002 ELSE 1001 END"
    statement = (
        f"UPDATE {ENTRIES} SET number = {swap} WHERE id IN ({first.id}, {second.id});"
        f"UPDATE {ENTRIES} SET number = number - 1000 WHERE number > 1000"
    )
    assert find(statement) >= {(ENTRIES, str(first.id)), (ENTRIES, str(second.id))}
    renumber = (
        f"DELETE FROM {ENTRIES} WHERE id = {first.id};"
        f"UPDATE {ENTRIES} SET number = number + 1000 WHERE stream = '{ANNA.actor}';"
        f"UPDATE {ENTRIES} SET number = number - 1001 WHERE stream = '{ANNA.actor}';"
        f"UPDATE {HEADS} SET number = number - 1 WHERE stream = '{ANNA.actor}'"
    )
    assert (ENTRIES, str(second.id)) in find(renumber)


def test_an_entry_that_somebody_without_the_key_has_written_is_found(entries):
    columns = ", ".join(f.column for f in RecordEntry._meta.concrete_fields if f.column != "id")
    values = columns.replace("number", f"{LAST} + 1").replace("request_id", "'y'")
    statement = f"""
        WITH forged AS (
            INSERT INTO {ENTRIES} ({columns}) SELECT {values} FROM {ENTRIES} WHERE id = {entries[-1].id}
            RETURNING stream, number, recorded_at, chain_hash
        )
        UPDATE {HEADS} AS head SET number = forged.number FROM forged WHERE head.stream = forged.stream"""
    with atomic():
        harm(statement)
        forged = RecordEntry.objects.latest("id")
        assert {finding.row for finding in prove().findings} == {str(forged.id)}
        set_rollback(True)


@pytest.mark.parametrize("column", ["number = number + 1", "recorded_at = now()", "chain_hash = sha256('y')"])
@pytest.mark.usefixtures("entries")
def test_a_head_that_is_not_the_last_entrys_is_found(column):
    assert find(f"UPDATE {HEADS} SET {column} WHERE stream = %s", ANNA.actor) == {(HEADS, str(ANNA.actor))}
    assert find(f"DELETE FROM {HEADS} WHERE stream = %s", ANNA.actor) == {(HEADS, str(ANNA.actor))}


def test_another_text_is_found_and_a_missing_one_and_one_that_nobody_has_decided_to_erase(entries):
    text, other = entries[0].text, entries[1].text
    own = (ENTRIES, str(entries[0].id))
    change = f"UPDATE {TEXTS} SET content = %s WHERE id = %s"
    assert find(change, '{"reason": "y"}', text) == {own}
    copy = f"UPDATE {TEXTS} SET content = (SELECT content FROM {TEXTS} WHERE id = %s) WHERE id = %s"
    assert find(copy, other, text) == {own}
    assert find(f"DELETE FROM {TEXTS} WHERE id = %s", text) == {(TEXTS, str(text))}
    assert find(f"UPDATE {TEXTS} SET content = NULL WHERE id = %s", text) == {(TEXTS, str(text))}


# Corrections


@pytest.fixture
def corrections(limits, maker, checker):
    """One of each outcome, by name."""
    account, other = AccountFactory(funds="1000"), AccountFactory(funds="5")
    moved = transfer(account, other, "3")
    taken = Transaction.objects.get(transfer=moved.id, account=other)
    made = {
        "posted": adjust(account, maker, "10"),
        "declined": adjust(AccountFactory(), maker, "5", type=WITHDRAW),
        "approved": adjust(account, maker, "500"),
        "rejected": adjust(account, maker, "600"),
        "approved in vain": adjust(other, maker, "700", type=WITHDRAW),
        "waiting": adjust(account, maker, "800"),
        "reversal": reverse(deposit(account, "20"), maker),
        "reversal of a transfer": reverse(taken, maker),
    }
    for name in ("approved", "approved in vain"):
        approve(made[name], checker)
    reject(made["rejected"], checker, reason="not so")
    assert prove().findings == []
    return {name: Correction.objects.get(id=correction.id) for name, correction in made.items()}


@pytest.mark.usefixtures("corrections")
def test_corrections_of_every_outcome_are_clean():
    assert sorted(Correction.objects.values_list("status", flat=True)) == sorted(
        ["POSTED"] * 4 + ["DECLINED"] * 2 + ["REJECTED", "WAITING"]
    )


OTHERS_ID = "(SELECT id FROM accounts_user WHERE username = 'third')"
OF_CORRECTIONS = {
    "id": "id = gen_random_uuid()",
    "kind": "kind = 'REVERSAL', reverses = gen_random_uuid()",
    "account_id": "account_id = (SELECT id FROM accounts_account WHERE id <> account_id LIMIT 1)",
    "type": "type = CASE type WHEN 'DEPOSIT' THEN 'WITHDRAW' ELSE 'DEPOSIT' END",
    "amount": "amount = amount + 1",
    "reference": "reference = 'y'",
    "reason": "reason = 'y'",
    "reverses": "reverses = gen_random_uuid(), kind = 'REVERSAL'",
    "claim": "claim = gen_random_uuid(), kind = 'WAIVER', type = '', reverses = NULL",
    "destination": "destination = gen_random_uuid(), kind = 'CLAIM', type = 'WITHDRAW', reverses = NULL",
    "batch": "batch = gen_random_uuid(), kind = 'REVERSAL', reverses = coalesce(reverses, gen_random_uuid())",
    "place": "batch = gen_random_uuid(), batch_size = 2, place = 1, kind = 'REVERSAL',"
    " reverses = coalesce(reverses, gen_random_uuid())",
    "batch_size": "batch = gen_random_uuid(), batch_size = 2, kind = 'REVERSAL',"
    " reverses = coalesce(reverses, gen_random_uuid())",
    "maker_id": f"maker_id = {OTHERS_ID}",
    "made_at": "made_at = made_at - interval '1 second'",
    "request_id": "request_id = 'y'",
    "needs_approval": "needs_approval = NOT needs_approval,"
    " checker_id = CASE WHEN status <> 'WAITING' THEN coalesce(checker_id, OTHER) END",
    "status": "status = CASE status WHEN 'POSTED' THEN 'DECLINED' ELSE 'POSTED' END,"
    " checker_id = coalesce(checker_id, OTHER), decided_at = coalesce(decided_at, now())",
    "checker_id": f"checker_id = {OTHERS_ID}",
    "decided_at": "decided_at = decided_at + interval '1 second'",
    "decision_reason": "decision_reason = decision_reason || 'y'",
}


@pytest.fixture
def third():
    return make_staff("operations", username="third")


@pytest.mark.parametrize("column", OF_CORRECTIONS)
def test_every_column_of_a_correction_is_proven(corrections, third, column):
    for name, correction in corrections.items():
        if name == "waiting" and column in ("checker_id", "decided_at"):
            continue  # refused by a constraint, or nothing to change
        change = OF_CORRECTIONS[column].replace("OTHER)", f"'{third.id}')")
        found = find(f"UPDATE {CORRECTIONS} SET {change} WHERE id = %s", correction.id)
        assert {table for table, _ in found} == {CORRECTIONS}, (name, found)
        assert column == "id" or (CORRECTIONS, str(correction.id)) in found, (name, found)


def test_all_columns_of_corrections_are_among_these():
    assert {field.column for field in Correction._meta.concrete_fields} == set(OF_CORRECTIONS)


def test_a_posted_correction_without_transaction_or_checker_is_found(corrections):
    own = {(CORRECTIONS, str(corrections["waiting"].id))}
    alone = "status = 'POSTED', decided_at = now(), needs_approval = false"
    assert find(f"UPDATE {CORRECTIONS} SET {alone} WHERE status = 'WAITING'") == own


def test_a_removed_correction_and_one_that_nobody_asked_for_are_found(corrections):
    gone = corrections["approved"]
    assert find(f"DELETE FROM {CORRECTIONS} WHERE id = %s", gone.id) == {(CORRECTIONS, str(gone.id))}
    row = deposit(AccountFactory(), "7")
    columns = ", ".join(field.column for field in Correction._meta.concrete_fields)
    values = columns.replace("id,", f"'{row.id}',", 1).replace("account_id", f"'{row.account_id}'")
    values = values.replace("amount", str(Decimal(7)))
    statement = f"INSERT INTO {CORRECTIONS} ({columns}) SELECT {values} FROM {CORRECTIONS} WHERE id = %s"
    assert find(statement, corrections["posted"].id) == {(CORRECTIONS, str(row.id))}


def test_who_asked_and_who_decided_is_what_the_record_says(corrections):
    for name, type in (("approved", "correction.proposed"), ("approved", "correction.approved")):
        id = corrections[name].id
        found = find(f"DELETE FROM {ENTRIES} WHERE subject_id = %s AND type = %s", str(id), type)
        assert (CORRECTIONS, str(id)) in found


def test_reasons_that_nobody_has_decided_to_erase_are_missed(corrections):
    texts = {(TEXTS, str(id)) for [id] in execute(f"SELECT id FROM {TEXTS} WHERE content IS NOT NULL")}
    assert find(f"UPDATE {TEXTS} SET content = NULL") == texts
