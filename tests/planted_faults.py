"""Faults for `mutants` to plant, and for each the test that must see it."""

from dataclasses import dataclass

CONCURRENCY = "tests/transactions/test_concurrency.py::"
POSTING = "tests/transactions/test_posting.py::"
WORKED = "tests/test_worked_examples.py::"
RACES = "tests/transactions/test_races.py::"
RACES_OF_HOLDS = "tests/transactions/test_races_of_holds.py::"
TRANSFERS = "tests/transactions/test_transfers.py::"
REVERSALS = "tests/transactions/test_reversals.py::"
HOLDS = "tests/transactions/test_holds.py::"
BATCHES = "tests/transactions/test_batches.py::"
STATEMENTS = "tests/transactions/test_statements.py::"
RULES = "tests/accounts/test_rules.py::"


@dataclass(frozen=True)
class Mutant:
    """`old` in the function, class or constant `where` becomes `new`, and `test` must see it."""

    name: str
    where: str
    old: str
    new: str
    test: str


MUTANTS = [
    Mutant(
        "no lock",
        "compile_lock",
        'Account._base_manager.select_for_update(no_key=True, of=("self",), skip_locked=skip_locked)',
        "Account._base_manager",
        CONCURRENCY + "test_twenty_withdrawals_at_once_spend_the_balance_once",
    ),
    Mutant(
        "locks in no order",
        "compile_lock",
        'wanted.only(*columns).order_by("id")',
        'wanted.only(*columns).order_by("?")',
        CONCURRENCY
        + "test_lists_over_the_same_accounts_in_opposite_orders_never_wait_for_each_other_in_a_ring",
    ),
    Mutant(
        "decline not recorded",
        "deciding.apply",
        "    state.accounts[account.id] = account\n",
        "    if row and not row.version:\n        return\n    state.accounts[account.id] = account\n",
        WORKED + "test_a_declined_withdrawal_stays_declined_after_a_top_up",
    ),
    Mutant(
        "check without held",
        "AccountState.available",
        "self.balance - self.held + self.credit_limit",
        "self.balance + self.credit_limit",
        POSTING + "test_what_is_held_or_lent_counts",
    ),
    Mutant(
        "id made by the server",
        "TransactionViewSet.create",
        "make_transaction(id, asked, accounts)",
        'make_transaction(__import__("uuid").uuid4(), asked, accounts)',
        WORKED + "test_the_story_of_the_original_service",
    ),
    Mutant(
        "guard trigger dropped",
        "transactions.migrations.0001_initial.GUARDS",
        "ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER balance_has_its_transactions;\n",
        "DROP TRIGGER balance_has_its_transactions ON accounts_account;\n",
        "tests/transactions/test_guards.py::test_a_balance_or_a_version_alone_is_refused",
    ),
    Mutant(
        "cursor off by one",
        "KeysetPagination.paginate_queryset",
        'Q(**{f"id__{beyond}": id})',
        'Q(**{f"id__{beyond}e": id})',
        "tests/transactions/test_filters_oracle.py::test_users_and_accounts_are_filtered_and_paged_exactly",
    ),
    Mutant(
        "past without its bound",
        "write_balance_at",
        "(account_id, effective_at) <= ({account}, {at})",
        "(account_id, effective_at) < ({account}, {at})",
        "tests/transactions/test_balances.py::test_both_bounds_are_inclusive",
    ),
    Mutant(
        "late withdrawals unchecked",
        "find_lack_of_funds",
        "    if late_at is not None:\n",
        "    if False:\n",
        WORKED + "test_a_withdrawal_from_before_the_deposit_is_declined_and_names_the_instant",
    ),
    Mutant(
        "a field out of the chain",
        "Table.__init__",
        "if column.hashed)",
        'if column.hashed and column.name != "actor")',
        POSTING + "test_the_chain_covers_every_field_of_every_row_in_order",
    ),
    Mutant(
        "other leg of a declined transfer posted",
        "decide_legs",
        "        culprit = next((row for row in rows if row.decline_reason), None)\n",
        "        culprit = None\n",
        TRANSFERS + "test_a_transfer_without_funds_declines_both_legs",
    ),
    Mutant(
        "declined group keeps what its accounts became",
        "_decide_request",
        "        draft = state.copy()\n        decide_commands",
        "        decide_commands",
        BATCHES + "test_an_atomic_batch_with_one_decline_posts_nothing_and_records_all",
    ),
    Mutant(
        "legs recorded at different moments",
        "decide_legs",
        "decide_leg(leg, state, caller, recorded_at=moment) for leg",
        "decide_leg(leg, state, caller) for leg",
        TRANSFERS + "test_both_legs_are_recorded_at_the_same_moment_after_all_their_accounts_had",
    ),
    Mutant(
        "reversals not looked for",
        "legs.find_decline",
        "    if leg.decline:\n",
        "    if False:\n",
        REVERSALS + "test_a_transaction_is_reversed_once",
    ),
    Mutant(
        "reversals reversed",
        "Reversal.__post_init__",
        "row.status != Transaction.Status.POSTED or row.reverses for row",
        "row.status != Transaction.Status.POSTED for row",
        REVERSALS + "test_neither_a_reversal_nor_a_decline_can_be_reversed",
    ),
    Mutant(
        "batch never atomic",
        "_decide_request",
        "if found is not None and len(new) > 1:",
        "if False:",
        BATCHES + "test_an_atomic_batch_with_one_decline_posts_nothing_and_records_all",
    ),
    Mutant(
        "holds placed beside holds",
        "hold.find_decline",
        "if amount > account.available:",
        "if amount > account.balance:",
        RACES_OF_HOLDS + "test_of_six_holds_at_once_five_find_funds",
    ),
    Mutant(
        "due holds still count",
        "end_due_holds",
        "for hold in find_due_holds(accounts, state.clock):",
        "for hold in ():",
        HOLDS + "test_an_expired_hold_never_causes_a_decline",
    ),
    Mutant(
        "capture of a closed hold",
        "legs.find_decline",
        "    if hold and hold.status != Hold.Status.OPEN:\n",
        "    if False:\n",
        RACES_OF_HOLDS + "test_capture_release_and_expiry_of_one_hold_at_once_have_one_winner",
    ),
    Mutant(
        "captured funds still held",
        "capture._take",
        "held = account.held - row.amount",
        "held = account.held",
        HOLDS + "test_a_capture_takes_part_and_gives_back_the_rest",
    ),
    Mutant(
        "captures without an end",
        "find_limit",
        "    if hold and leg.amount > hold.remaining:\n",
        "    if False:\n",
        HOLDS + "test_no_more_is_captured_than_is_left",
    ),
    Mutant(
        "every capture final",
        "capture._take",
        "if is_end or hold.remaining == 0:",
        "if True:",
        HOLDS + "test_several_captures_leave_the_hold_open_until_nothing_is_left",
    ),
    Mutant(
        "frozen accounts take holds",
        "hold.find_decline",
        "        return ACCOUNT_FROZEN, {}\n",
        "        pass\n",
        HOLDS + "test_a_frozen_account_takes_no_hold_and_no_capture_but_a_release",
    ),
    Mutant(
        "hold guard dropped",
        "accounts.migrations._holds.GUARDS",
        "ALTER TABLE accounts_account ENABLE ALWAYS TRIGGER held_has_its_holds;\n",
        "DROP TRIGGER held_has_its_holds ON accounts_account;\n",
        "tests/test_hold_guards.py::test_what_is_held_alone_is_refused",
    ),
    Mutant(
        "frozen accounts pay",
        "legs.find_decline",
        "    if account.status == Account.Status.FROZEN:\n",
        "    if False:\n",
        RACES + "test_no_withdrawal_is_posted_after_the_freeze",
    ),
    Mutant(
        "highest credit limit forgotten",
        "SetLimits.decide",
        "max(state.rules[account.id].credit_limit_max, changed.credit_limit)",
        "changed.credit_limit",
        RULES + "test_the_highest_credit_limit_is_kept",
    ),
    Mutant(
        "withdrawals of the day not added up",
        "decide_leg",
        "limits.find_withdrawn(account, day) + leg.amount",
        "leg.amount",
        RACES + "test_a_days_limit_is_spent_once_by_twenty_withdrawals_at_once",
    ),
    Mutant(
        "statement opened too late",
        "read_statement",
        "at=find_start(first_day, zone) - MICROSECOND",
        "at=find_start(first_day, zone)",
        STATEMENTS + "test_a_months_statement_adds_up",
    ),
]
