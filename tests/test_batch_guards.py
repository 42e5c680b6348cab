"""What the database refuses of lists of commands, attacked in plain SQL; `test_guards` has the sessions."""

import pytest

from ledger.callers import Caller
from tests.cast import OrderFactory, new_id
from tests.test_guards import execute, insert, refused_by, session  # noqa: F401, a fixture
from transactions import posting
from transactions.posting import NewBatch

pytestmark = pytest.mark.django_db

# Of all metadata: a list, even one of objects, is no object, and an object has texts.
NO_TEXTS = [
    "'[]'",
    "'null'",
    "'\"a\"'",
    "'[{}]'",
    *(f'\'{{"a": "b", "c": {json}}}\'' for json in ("1", "null", "true", "[]", "{}")),
]
MAC = "decode(repeat('01', 33), 'hex')"
BATCH = {
    "id": "'00000000-0000-4000-8000-000000000001'", "atomic": "true", "reference": "''", "metadata": "'{}'",
    "fingerprint": MAC, "recorded_at": "now()", "actor": "gen_random_uuid()", "actor_kind": "'service'",
    "request_id": "''", "mac": MAC,
}  # fmt: skip
INSERTS = [
    ("transactions_batch_pkey", insert("transactions_batch", *[BATCH] * 2)),
    *(
        ("batch_metadata_has_texts", insert("transactions_batch", BATCH | {"metadata": metadata}))
        for metadata in NO_TEXTS
    ),
    *(
        ("batch_recorded_at_is_finite", insert("transactions_batch", BATCH | {"recorded_at": moment}))
        for moment in ("'infinity'", "'-infinity'")
    ),
    *(
        ("batch_has_whole_macs", insert("transactions_batch", BATCH | {name: "'x'"}))
        for name in ("fingerprint", "mac")
    ),
]
REFUSALS = [
    ("batch_is_never_changed", "UPDATE transactions_batch SET reference = 'another'"),
    ("batch_is_never_changed", "DELETE FROM transactions_batch"),
    ("batches_are_never_emptied", "TRUNCATE transactions_batch"),
]


@pytest.mark.parametrize(("rule", "attack"), INSERTS)
def test_a_list_that_cannot_be_is_refused(rule, attack):
    with refused_by(rule):
        execute(attack)


@pytest.mark.parametrize(("rule", "attack"), REFUSALS)
def test_what_was_written_of_a_list_stays(account, rule, attack):
    batch = NewBatch(id=new_id(), asked=[], atomic=True)
    posting.post(
        [OrderFactory(account=account)], caller=Caller(account.user_id), all_or_nothing=True, batch=batch
    )
    with refused_by(rule):
        execute(attack)
