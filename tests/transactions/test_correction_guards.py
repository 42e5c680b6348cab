"""What the database refuses of corrections and figures, to whoever writes."""

import pytest

from tests.office.staff import make_staff
from tests.test_guards import execute, insert, refused_by, session  # noqa: F401, a fixture

pytestmark = pytest.mark.django_db

CORRECTION = {
    "id": "'00000000-0000-4000-8000-000000000001'", "kind": "'ADJUSTMENT'", "type": "'DEPOSIT'",
    "amount": "5", "reference": "'x'", "reason": "'x'", "made_at": "now()", "request_id": "''",
    "needs_approval": "true", "status": "'WAITING'", "decision_reason": "''",
}  # fmt: skip
ANY_ID = "gen_random_uuid()"
CLAIM = {"kind": "'CLAIM'", "type": "'WITHDRAW'"}
WAIVER = {"kind": "'WAIVER'", "type": "''", "claim": ANY_ID}
REVERSAL = {"kind": "'REVERSAL'", "reference": "''", "reverses": ANY_ID, "batch": ANY_ID}
HOURLY = {
    "hour": "'2026-01-01'", "currency": "'USD'", "type": "'DEPOSIT'", "outcome": "'posted'", "count": "1",
    "amount": "1", "late": "0",
}  # fmt: skip
FIGURES = {"id": "1", "counted_through": "now()", "biggest": "'{}'", "held": "'{}'"}

INSERTS = [
    *(
        ("correction_names_what_its_kind_is_about", changes)
        for changes in (
            {"reference": "''"},
            {"kind": "'GIFT'"},
            {"kind": "'REVERSAL'"},
            {"reverses": ANY_ID},
            {"claim": ANY_ID},
            {"destination": ANY_ID},
            {"kind": "'REVERSAL'", "reverses": ANY_ID, "claim": ANY_ID},
            {"kind": "'REVERSAL'", "reverses": ANY_ID, "destination": ANY_ID},
            CLAIM | {"claim": ANY_ID},
            CLAIM | {"reverses": ANY_ID, "destination": ANY_ID},
            WAIVER | {"claim": "NULL"},
            WAIVER | {"reverses": ANY_ID},
            WAIVER | {"destination": ANY_ID},
        )
    ),
    *(
        ("correction_type_fits_its_kind", changes)
        for changes in (
            {"type": "'GIFT'"},
            {"type": "''"},
            CLAIM | {"type": "'DEPOSIT'"},
            WAIVER | {"type": "'DEPOSIT'"},
        )
    ),
    *(
        ("correction_amount_is_positive_and_bounded", {"amount": amount})
        for amount in ("0", "-5", "1e12 + 0.00000001", "'NaN'")
    ),
    ("correction_has_a_reason", {"reason": "''"}),
    *(
        ("correction_is_alone_or_a_reversal_of_a_batch", changes)
        for changes in (
            {"place": "1"},
            {"batch_size": "2"},
            {"batch": ANY_ID},
            REVERSAL | {"place": "3", "batch_size": "3"},
            REVERSAL | {"batch_size": "1001"},
            REVERSAL | {"batch_size": "0"},
            REVERSAL | {"place": "-1"},
        )
    ),
    (
        "correction_has_its_place_in_a_batch",
        REVERSAL | {"batch": "'00000000-0000-4000-8000-000000000002'", "id": ANY_ID},
    ),
    ("correction_is_waiting_or_decided", {"decided_at": "now()"}),
    ("correction_is_waiting_or_decided", {"checker_id": "maker"}),
    ("transactions_correction_pkey", {}),
]
# What a waiting correction is made into.
CHANGES = [
    ("correction_is_waiting_or_decided", "status = 'POSTED', checker_id = {checker}"),
    ("correction_is_waiting_or_decided", "status = 'GONE', checker_id = {checker}, decided_at = now()"),
    *(
        ("correction_is_approved_by_somebody_else", f"status = '{status}', decided_at = now(){by}")
        for status in ("POSTED", "DECLINED")
        for by in ("", ", checker_id = maker_id")
    ),
    ("correction_is_rejected_by_somebody", "status = 'REJECTED', decided_at = now()"),
]
CHANGED = [
    "id = gen_random_uuid()",
    "kind = 'REVERSAL', reverses = gen_random_uuid()",
    "reverses = gen_random_uuid()",
    "claim = gen_random_uuid()",
    "destination = gen_random_uuid()",
    "batch = gen_random_uuid()",
    "place = 1",
    "batch_size = 2",
    "account_id = gen_random_uuid()",
    "type = 'WITHDRAW'",
    "amount = 6",
    "reference = 'y'",
    "reason = 'y'",
    "maker_id = {checker}",
    "made_at = '2020-01-01'",
    "request_id = 'y'",
    "needs_approval = false",
    "checker_id = NULL",
]
REFUSALS = [
    ("correction_is_never_deleted", "DELETE FROM transactions_correction"),
    ("corrections_are_never_emptied", "TRUNCATE transactions_correction"),
]
OTHERS = [
    ("figures_are_one_row", insert("transactions_figures", FIGURES | {"id": "2"})),
    ("transactions_figures_pkey", insert("transactions_figures", FIGURES, FIGURES)),
    ("hourly_total_stands_once", insert("transactions_hourlytotal", HOURLY, HOURLY)),
    (
        "transactions_hourlytotal_pkey",
        insert("transactions_hourlytotal", HOURLY | {"id": "1"}, HOURLY | {"id": "1", "type": "'WITHDRAW'"}),
    ),
]


@pytest.fixture
def names(account):
    """The account, and two members of staff, as SQL writes their ids."""
    maker, checker = make_staff("operations"), make_staff("operations")
    return {"account": f"'{account.id}'", "maker": f"'{maker.id}'", "checker": f"'{checker.id}'"}


def ask(names, **changes):
    row = CORRECTION | {"account_id": names["account"], "maker_id": names["maker"]} | changes
    execute(insert("transactions_correction", {name: names.get(value, value) for name, value in row.items()}))


def decide(names, status="POSTED"):
    by = f"decided_at = now(), checker_id = {names['checker']}"
    execute(f"UPDATE transactions_correction SET status = '{status}', {by}")


@pytest.mark.parametrize(("rule", "changes"), INSERTS)
def test_a_correction_that_cannot_be_is_refused(names, rule, changes):
    if rule.endswith("_pkey"):
        ask(names)
    elif rule == "correction_has_its_place_in_a_batch":
        ask(names, **changes)
    with refused_by(rule):
        ask(names, **changes)


@pytest.mark.parametrize("status", ["POSTED", "DECLINED", "REJECTED", "GONE"])
def test_a_correction_starts_waiting(names, status):
    with refused_by("correction 00000000-0000-4000-8000-000000000001 starts waiting"):
        ask(names, status=f"'{status}'", decided_at="now()", checker_id="checker")


@pytest.mark.parametrize(("rule", "change"), CHANGES)
def test_a_waiting_correction_is_not_decided_in_a_way_that_cannot_be(names, rule, change):
    ask(names)
    with refused_by(rule):
        execute(f"UPDATE transactions_correction SET {change.format(**names)}")


@pytest.mark.parametrize("change", CHANGED)
@pytest.mark.parametrize("decided", [False, True])
def test_what_was_asked_stays_whether_it_is_decided_or_not(names, change, decided):
    ask(names)
    change = change.format(**names)
    if decided:
        decide(names)
    elif not change.startswith("checker"):
        change += f", status = 'POSTED', decided_at = now(), checker_id = {names['checker']}"
    with refused_by("is decided once"):
        execute(f"UPDATE transactions_correction SET {change}")


@pytest.mark.parametrize("status", ["POSTED", "DECLINED", "REJECTED"])
@pytest.mark.parametrize(
    "change",
    [
        "status = 'REJECTED'",
        "status = 'WAITING', checker_id = NULL, decided_at = NULL",
        "decision_reason = 'y'",
    ],
)
def test_a_decision_is_final(names, status, change):
    ask(names)
    decide(names, status)
    with refused_by("is decided once"):
        execute(f"UPDATE transactions_correction SET {change}")


@pytest.mark.parametrize(("rule", "attack"), REFUSALS)
def test_what_was_written_down_stays(names, rule, attack):
    ask(names)
    with refused_by(rule):
        execute(attack)


@pytest.mark.parametrize(("rule", "attack"), OTHERS)
def test_what_cannot_be_is_not_written_down(rule, attack):
    with refused_by(rule):
        execute(attack)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        CLAIM,
        CLAIM | {"destination": ANY_ID},
        CLAIM | {"reverses": ANY_ID},
        WAIVER,
        {"kind": "'REVERSAL'", "reverses": ANY_ID},
    ],
    ids=["adjustment", "claim", "claim for somebody", "claim that takes back", "waiver", "reversal"],
)
def test_a_sound_correction_is_taken(names, changes):
    ask(names, **changes)
    decide(names)
    assert execute("SELECT count(*) FROM transactions_correction WHERE status = 'POSTED'") == [(1,)]
