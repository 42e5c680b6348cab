"""Faults for `mutants` to plant where others are told, and for each the test that must see it."""

from tests.planted_faults import Mutant

FEED = "tests/events/test_feed.py::"
RELAY = "tests/events/test_relay.py::"
LEASES = "tests/events/test_leases.py::"
WEBHOOKS = "tests/events/test_webhooks.py::"
TARGETS = "tests/events/test_targets.py::"
BROKER = "tests/events/test_broker.py::"
UPKEEP = "tests/events/test_upkeep.py::"

MUTANTS = [
    Mutant(
        "cursors of every epoch",
        "require",
        "        if cursor.epoch != self.epoch:\n",
        "        if False:\n",
        FEED + "test_a_cursor_of_another_epoch_or_ahead_of_the_feed_is_refused",
    ),
    Mutant(
        "a promotion unnoticed",
        "STATE",
        "({IDENTIFIERS}) = ({IDENTITY})",
        "system_identifier = (SELECT system_identifier FROM pg_control_system())",
        FEED + "test_in_another_database_the_feed_stops",
    ),
    Mutant(
        "a filtered cursor jumps to the end",
        "feed.read",
        "position = state.last_position if is_scanned_out else scanned[-1][0]",
        "position = state.last_position",
        FEED + "test_some_types_are_read_by_looking_at_a_bounded_part",
    ),
    Mutant(
        "a gap of pruned events unnoticed",
        "read_account",
        "if not is_kept or (found and found[0][-1] != after_sequence + 1) or len(events) < len(wanted):",
        "if False:",
        UPKEEP + "test_a_cursor_below_what_was_pruned_is_told_so",
    ),
    Mutant(
        "everybody's events for everybody",
        "EventViewSet._read",
        'sees_all = request.may("events.view_event")',
        "sees_all = True",
        "tests/test_matrix.py::"
        "test_the_feed_tells_everything_to_who_may_see_it_and_to_others_only_of_their_accounts",
    ),
    Mutant(
        "any number of tests at once",
        "delivery.__init__.waiting",
        "waiting = BoundedSemaphore(2)",
        "BoundedSemaphore = lambda _, real=BoundedSemaphore: real(999)\nwaiting = BoundedSemaphore(2)",
        "tests/events/test_subscriptions_api.py::test_tests_take_no_more_threads_than_waiting_may",
    ),
    Mutant(
        "plans that scan",
        "SETTINGS",
        '"enable_seqscan": "off"',
        '"enable_seqscan": "on"',
        "tests/test_plans_that_last.py::"
        "test_what_was_prepared_on_a_small_ledger_reads_no_more_rows_of_a_large_one",
    ),
    Mutant(
        "cursor moved before sending",
        "Relay.claim",
        "            if page.events:\n",
        "            self._mine(subscription).update(position=page.cursor.position)\n"
        "            if page.events:\n",
        LEASES + "test_in_the_middle_of_a_batch_the_cursor_has_not_moved",
    ),
    Mutant(
        "leases ignored",
        "_mine",
        "Subscription.objects.filter(lease=self.lease)",
        "Subscription.objects.all()",
        LEASES + "test_who_lost_the_lease_moves_no_cursor",
    ),
    Mutant(
        "leases not renewed",
        "renew",
        "        if self.sending and time.monotonic()",
        "        if False and time.monotonic()",
        LEASES + "test_the_lease_is_renewed_while_the_receiver_takes_its_time",
    ),
    Mutant(
        "one subscription after the other",
        "Relay.__init__",
        "ThreadPoolExecutor(SUBSCRIPTIONS_MAX,",
        "ThreadPoolExecutor(1,",
        RELAY + "test_who_does_not_answer_holds_up_nobody_else",
    ),
    Mutant(
        "Retry-After ignored",
        "_plan_next_attempt",
        "max(delay, failure.retry_after)",
        "delay",
        RELAY + "test_retry_after_is_honoured",
    ),
    Mutant(
        "what is gone is tried for ever",
        "_plan_next_attempt",
        "(failure.is_gone or attempts > len(WEBHOOK_DELAYS))",
        "False",
        RELAY + "test_gone_disables_at_once",
    ),
    Mutant(
        "redirects followed",
        "webhooks.open_channel",
        "follow_redirects=False",
        "follow_redirects=True",
        WEBHOOKS + "test_a_redirect_is_a_failure_and_not_followed",
    ),
    Mutant(
        "connected by name",
        "connect_tcp",
        "            addresses = resolve(host, port, scheme=self.scheme)\n",
        "            addresses = [host]\n",
        WEBHOOKS + "test_a_name_that_changes_to_a_private_address_is_not_called",
    ),
    Mutant(
        "the first address alone checked",
        "resolve",
        "    for text in addresses:\n",
        "    for text in addresses[:1]:\n",
        TARGETS + "test_one_private_address_among_the_names_addresses_is_enough",
    ),
    Mutant(
        "every private network opened",
        "url_guard.is_opened",
        "    if is_within(address, settings.WEBHOOK_ALLOWED_NETWORKS):\n",
        "    if is_within(address, PRIVATE):\n",
        TARGETS + "test_an_opened_network_opens_nothing_beside_it",
    ),
    Mutant(
        "what opens a network opens metadata",
        "url_guard.is_opened",
        "    if is_within(address, METADATA) or not is_within(address, [*PRIVATE, *LOOPBACK]):\n",
        "    if False:\n",
        TARGETS + "test_where_clouds_tell_their_machines_secrets_is_opened_by_no_setting",
    ),
    Mutant(
        "a host by the end of its name",
        "url_guard.is_named",
        'return host.endswith(name) if name.startswith(".") else host == name',
        "return host.endswith(name)",
        TARGETS + "test_a_host_is_opened_by_its_name_or_by_what_it_is_below",
    ),
    Mutant(
        "an opened host opens this machine",
        "url_guard.is_opened",
        "    if is_within(address, LOOPBACK):\n        return bool(settings.WEBHOOK_LOOPBACK)\n",
        "",
        TARGETS + "test_an_opened_host_is_called_over_http_at_private_addresses_alone",
    ),
    Mutant(
        "an account's subscription told of all",
        "Subscription.streams",
        "return None if self.account is None else [self.account]",
        "return None",
        RELAY + "test_of_an_account_its_events_alone_are_sent",
    ),
    Mutant(
        "a user's accounts looked up too soon",
        "Subscription.streams",
        'return chain([self.user], get_user_model()(pk=self.user).accounts.values_list("id", flat=True))',
        'return [self.user, *get_user_model()(pk=self.user).accounts.values_list("id", flat=True)]',
        FEED + "test_an_account_that_is_opened_while_its_user_is_read_is_not_passed_over",
    ),
    Mutant(
        "a holder's accounts looked up too soon",
        "EventViewSet._read",
        "accounts = own if account is None else own.filter(id=account)",
        "accounts = list(own if account is None else own.filter(id=account))",
        "tests/events/test_holders_events.py::test_an_account_that_is_opened_while_its_holder_reads_is_told",
    ),
    Mutant(
        "what is paused is tried now",
        "subscriptions.try_now",
        "    if not get(id).is_active:\n",
        "    if False:\n",
        "tests/events/test_subscriptions_api.py::test_one_that_is_sent_nothing_is_not_tried_now",
    ),
    Mutant(
        "time-outs of one read only",
        "get_timeout",
        "        left = self.deadline - time.monotonic()\n",
        "        left = self.seconds_max\n",
        WEBHOOKS + "test_an_attempt_ends_in_time_whatever_the_receiver_does",
    ),
    Mutant(
        "old secret dropped at once",
        "sign",
        "sent_at < rotated_at + ROTATION",
        "sent_at < rotated_at",
        WEBHOOKS + "test_for_a_day_after_a_rotation_both_secrets_verify",
    ),
    Mutant(
        "unroutable unnoticed",
        "brokers.publish",
        "mandatory=True",
        "mandatory=False",
        BROKER + "test_what_no_queue_is_bound_for_is_counted_and_holds_up_nothing",
    ),
    Mutant(
        "messages that a restart loses",
        "brokers.publish",
        "Exchange.PERSISTENT_DELIVERY_MODE",
        "Exchange.TRANSIENT_DELIVERY_MODE",
        BROKER + "test_messages_survive_a_restart_of_the_broker_and_what_it_missed_comes_after",
    ),
    Mutant(
        "pruned whatever somebody waits for",
        "prune",
        "or (sent is not None and position > sent)",
        "",
        UPKEEP + "test_what_a_live_subscription_waits_for_stays",
    ),
    Mutant(
        "pruning guard dropped",
        "events.migrations.0001_initial.GUARDS",
        "    IF OLD.position <= (SELECT pruned_through FROM public.events_feed_state WHERE part = 0) THEN\n",
        "    IF true THEN\n",
        "tests/events/test_feed_guards.py::test_what_would_break_the_feed_is_refused",
    ),
    Mutant(
        "what no row tells goes too",
        "events.migrations.0001_initial.GUARDS",
        "    IF OLD.about IS NOT NULL AND OLD.recorded_at",
        "    IF OLD.recorded_at",
        "tests/events/test_feed_guards.py::test_what_no_row_tells_stays_for_ever_without_its_place",
    ),
    Mutant(
        "what was pruned waits for ever",
        "deliveries.PLACES",
        "SELECT position, waits IS NOT NULL, CASE WHEN waits IS NULL",
        "SELECT position, position IS NULL, CASE WHEN position IS NOT NULL",
        "tests/events/test_tracing.py::"
        "test_what_was_pruned_waits_for_nothing_and_was_sent_to_whoever_has_passed_it",
    ),
]
