"""Anchors: what was cut off or written anew, even by somebody with the chain's key, is found by the file."""

import pytest

from events.models import Event
from tests.cast import deposit, new_id
from tests.transactions.conftest import run_command
from tests.transactions.test_audit import harm, make_history, prove
from transactions.models import Transaction, chain
from transactions.proof import anchors

pytestmark = pytest.mark.django_db


def cut_tail(account):
    """Remove the account's last transaction, which is its last event too, and patch the account to fit."""
    gone, before = Transaction.objects.filter(account=account).order_by("-recorded_at")[:2]
    told = Event.objects.filter(stream=account.id)
    last = told.latest("sequence")
    assert last.about == gone.seq
    for table in ("events_pending", "events_event"):
        harm(f"DELETE FROM {table} WHERE stream = %s AND sequence = %s", last.stream, last.sequence)
    harm("DELETE FROM transactions_transaction WHERE id = %s", gone.id)
    posted = Transaction.objects.filter(account=account, status="POSTED")
    newest, last = posted.latest("seq"), told.latest("sequence")
    harm(
        "UPDATE accounts_account SET balance = %s, seq = %s, version = %s, chain_head = %s,"
        " last_recorded_at = %s, last_effective_at = %s, event_sequence = %s, withdrawn = 0,"
        " withdrawn_on = NULL WHERE id = %s",
        newest.balance_after,
        before.seq,
        newest.version,
        bytes(before.chain_hash),
        last.recorded_at,
        posted.latest("effective_at").effective_at,
        last.sequence,
        account.id,
    )
    return gone


@pytest.fixture
def anchor(tmp_path):
    """A ledger with everything in it, anchored."""
    account = make_history()
    file = tmp_path / "anchor.jsonl"
    assert run_command("export_anchor", str(file))[0] == 0
    return account, file


def verify(file, *arguments):
    return run_command("verify_anchor", str(file), *arguments)


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
        link = chain.compute_hash(link, row)
        harm(
            "UPDATE transactions_transaction SET reference = %s, chain_hash = %s WHERE id = %s",
            row.reference,
            link,
            row.id,
        )
    harm("UPDATE accounts_account SET chain_head = %s WHERE id = %s", link, account.id)
    assert [finding for finding in prove().findings if finding.check == "chain"] == []
    status, text = verify(file)
    assert status == 1
    assert "was changed" in text


def test_what_comes_after_an_anchor_is_no_finding(anchor):
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
    account = make_history()
    settings.CHAIN_KEY_FALLBACKS = [settings.CHAIN_KEY]
    settings.CHAIN_KEY = "a new one"
    deposit(account, "1")
    assert prove().findings == []
    settings.CHAIN_KEY_FALLBACKS = []
    assert {finding.check for finding in prove().findings} == {"chain", "told", "users"}


def test_the_public_key_can_be_printed():
    assert run_command("export_anchor", "--public-key")[1].strip() == anchors.get_public_key()
