"""Faults in the engine and in group commit for `mutants` to plant."""

from tests.planted_faults import CONCURRENCY, Mutant

RETRIES = "tests/transactions/test_retries.py::"
GROUPS = "tests/transactions/test_committer.py::"
FAULTS = "tests/transactions/test_committer_faults.py::"
RULES = "tests/accounts/test_rules.py::"
USERS = "tests/accounts/test_users_api.py::"
LOCKS = "tests/transactions/test_committer_locks.py::"

LOCK = """            (_number(compile_lock(COLUMNS, skip_locked)), [account_ids]),
"""
LOOK = """            (_number(LOOK_AT_BATCHES), [ids, batch_ids]) if batch_ids else (_number(LOOK), [ids]),
"""
RUN = """        ]
        try:
            _, locked, seen = self._run(steps)
"""

MUTANTS = [
    Mutant(
        "lock after read",
        "OwnTransaction.begin",
        LOCK + LOOK + RUN,
        LOCK.replace("skip_locked))", 'skip_locked).partition(" FOR ")[0])')
        + LOCK
        + LOOK
        + RUN.replace("locked, seen", "locked, _, seen"),
        CONCURRENCY + "test_twenty_withdrawals_at_once_spend_the_balance_once",
    ),
    Mutant(
        "look before lock",
        "OwnTransaction.begin",
        LOCK + LOOK + RUN,
        LOOK + LOCK + RUN.replace("locked, seen", "seen, locked"),
        CONCURRENCY + "test_one_id_sent_24_times_at_once_is_decided_once",
    ),
    Mutant(
        "clock before lock",
        "OwnTransaction.begin",
        LOCK + LOOK + RUN,
        LOOK + LOCK + RUN.replace("locked, seen", "seen, locked"),
        "tests/transactions/test_races_of_balances.py::test_an_answer_for_a_named_moment_stays_true_whatever_is_being_posted",
    ),
    Mutant(
        "no second look",
        "deciding.decide",
        "queries.get_transactions(look.decided) if look.decided else {}",
        "{}",
        CONCURRENCY + "test_one_id_sent_24_times_at_once_is_decided_once",
    ),
    Mutant(
        "statements prepared every time",
        "_prepare",
        "        if name is None:\n            name = b",
        "        if True:\n            name = b",
        "tests/transactions/test_budget.py::test_a_hot_request_costs_what_the_table_says",
    ),
    Mutant(
        "answer of the commit not looked at",
        "commit",
        "if done.command_status != COMMIT.encode():",
        "if False:",
        RETRIES + "test_a_commit_that_is_never_confirmed_is_an_error",
    ),
    Mutant(
        "commit without a transaction",
        "commit",
        "if self.wrapper.needs_rollback or self.pg.transaction_status == pq.TransactionStatus.IDLE:",
        "if False:",
        RETRIES + "test_a_transaction_that_ends_quietly_without_a_commit_is_run_again",
    ),
    Mutant(
        "lost connections not told from the server's errors",
        "_require_done",
        "raise error if error.sqlstate else psycopg.OperationalError(str(error))",
        "raise error",
        RETRIES + "test_a_connection_killed_around_the_write_loses_and_doubles_nothing",
    ),
    Mutant(
        "forgotten statements not prepared again",
        "OwnTransaction.begin",
        "            self.line.prepared.clear()\n",
        "",
        RETRIES + "test_a_posting_after_a_rollback_prepares_its_statements_again",
    ),
    Mutant(
        "ended connections used again",
        "OwnTransaction.__init__",
        "        if self.line.poll.poll(0):",
        "        if False:",
        RETRIES + "test_a_connection_lost_between_two_postings_is_replaced_before_it_is_used",
    ),
    Mutant(
        "closed connections used again",
        "_connect",
        "if self.wrapper.connection is None or self.wrapper.connection.closed:",
        "if self.wrapper.connection is None:",
        RETRIES + "test_a_connection_lost_between_two_postings_is_replaced_before_it_is_used",
    ),
    Mutant(
        "ended connection of the reads asked again",
        "balances._read",
        "        connection.close()\n        return read(keys)\n",
        "        raise\n",
        "tests/transactions/test_shared_reads.py::"
        "test_a_connection_that_was_lost_is_replaced_before_anybody_is_told",
    ),
    Mutant(
        "actor of the first request for all of the group",
        "deciding.decide",
        "_decide_request(request, before",
        "_decide_request(__import__('dataclasses').replace(request, caller=requests[0].caller), before",
        GROUPS + "test_requests_of_every_kind_in_one_group_keep_their_answers_actors_and_request_ids",
    ),
    Mutant(
        "request id of the last request for all holds",
        "_read_state",
        "causes.setdefault(id, request.caller._replace(actor=command_id, actor_kind=ActorKind.LEDGER))",
        "causes[id] = request.caller._replace(actor=command_id, actor_kind=ActorKind.LEDGER)",
        GROUPS + "test_holds_that_ended_are_events_of_the_first_request_on_their_account",
    ),
    Mutant(
        "holds of requests that wait ended without them",
        "_read_state",
        "        causes: dict[UUID, Caller] = {}\n",
        "        causes: dict[UUID, Caller] = dict.fromkeys(accounts, requests[0].caller)\n",
        GROUPS + "test_holds_of_an_account_whose_request_waits_end_with_that_request",
    ),
    Mutant(
        "the end of a hold told as its caller's doing",
        "_read_state",
        "_replace(actor=command_id, actor_kind=ActorKind.LEDGER)",
        "_replace(actor=command_id)",
        GROUPS + "test_holds_that_ended_are_events_of_the_first_request_on_their_account",
    ),
    Mutant(
        "metadata that are so already told again",
        "SetMetadata.decide",
        "if before.metadata == self.metadata:",
        "if False:",
        RULES + "test_metadata_that_are_so_already_are_told_once",
    ),
    Mutant(
        "a user who is so already told again",
        "operations.change_user",
        " if value != getattr(user, name)",
        "",
        USERS + "test_what_a_user_is_already_is_not_told_again",
    ),
    Mutant(
        "rows as early as the event before them",
        "legs.find_moment",
        "account.last_recorded_at + MICROSECOND",
        "account.last_recorded_at",
        "tests/transactions/test_posting.py::test_recorded_at_rises_strictly",
    ),
    Mutant(
        "what a refused request decided still counts",
        "State.copy",
        "copy(value)",
        "value",
        GROUPS + "test_replays_refusals_and_declines_in_a_group_harm_nobody",
    ),
    Mutant(
        "one id twice in a group",
        "Grouping.take",
        "or not keys.isdisjoint(own))",
        "or False)",
        GROUPS + "test_two_orders_of_one_id_are_never_in_one_group_and_are_one_command",
    ),
    Mutant(
        "last come first served",
        "Grouping.take",
        "self.left_over.extendleft(reversed(again))",
        "self.queue.put(again[0]) if again else None",
        GROUPS + "test_who_comes_first_is_posted_first",
    ),
    Mutant(
        "dropped requests posted",
        "Grouping.take",
        "if not (waiting.answer.running() or waiting.answer.set_running_or_notify_cancel()):",
        "if False:",
        GROUPS + "test_a_request_that_nobody_waits_for_any_more_when_its_group_begins_is_not_posted",
    ),
    Mutant(
        "shared in a caller's transaction",
        "committer.share",
        "if _prompt.thread is None or _is_in_transaction() or not request.commands:",
        "if _prompt.thread is None or not request.commands:",
        GROUPS + "test_in_a_callers_transaction_nothing_is_shared",
    ),
    Mutant(
        "payments wait for locks",
        "_post_once",
        "own.begin(account_ids, ids, batch_ids, skip_locked=skip_locked)",
        "own.begin(account_ids, ids, batch_ids)",
        LOCKS + "test_who_waits_for_a_locked_account_holds_up_nobody_else",
    ),
    Mutant(
        "all locks held while one is waited for",
        "_post_patiently",
        "(elsewhere if apart else here).append(waiting)",
        "here.append(waiting)",
        LOCKS + "test_who_waits_for_one_account_holds_no_other",
    ),
    Mutant(
        "locked accounts waited for one after the other",
        "_post_patiently",
        "if timeout and time.monotonic() - waiting.since > WAIT_SECONDS_MAX:",
        "if False:",
        LOCKS + "test_accounts_that_stay_locked_are_not_waited_for_one_after_the_other",
    ),
    Mutant(
        "who would wait for a lock is refused",
        "_post_what_is_free",
        "        _patient.pass_on(waiting)\n",
        "        waiting.answer.set_exception(TimeoutError())\n",
        LOCKS + "test_who_waits_for_a_locked_account_holds_up_nobody_else",
    ),
    Mutant(
        "who asks for no account waits for those that are locked",
        "_find_waiting",
        "return {request for request, account_id in missing if account_id in existing}",
        "return {request for request, account_id in missing}",
        LOCKS + "test_who_waits_for_a_locked_account_holds_up_nobody_else",
    ),
    Mutant(
        "a group fails with its worst",
        "_post_waiting",
        "if len(group) == 1 or engine.is_lost(error):",
        "if True:",
        FAULTS + "test_one_of_a_group_fails_and_the_others_are_posted",
    ),
    Mutant(
        "each waits for the same lock in vain",
        "_post_one_by_one",
        "engine.post_what_is_free if is_lock_timeout(error) else engine.post_group",
        "engine.post_group",
        LOCKS + "test_an_account_that_stays_locked_is_waited_for_by_all_of_its_requests_at_once",
    ),
]
