"""Planted faults of what operators see: webhooks, passwords, sessions, audits. For `tests/mutants.py`."""

from tests.planted_faults import Mutant

ATTEMPTS = "tests/events/test_attempts.py::"
PAGES = "tests/office/test_subscription_pages.py::"
UNSENT = "tests/office/test_unsent_forms.py::"
PASSWORDS = "tests/office/test_first_password.py::"
AUDITS = "tests/transactions/test_audits.py::"
AUDITING = "tests/ledger_project/test_auditing.py::"

MUTANTS = [
    Mutant(
        "a failing webhook is shown as healthy",
        "Subscription.health",
        "        if self.failing_since is not None:\n",
        "        if self.failing_since is not None and self.attempts > len(self.url or ''):\n",
        PAGES + "test_what_fails_is_said_to_fail_in_the_list_on_its_page_and_on_the_dashboard",
    ),
    Mutant(
        "failing since the last failure",
        "Relay.record",
        'Coalesce("failing_since", Now())',
        "Now()",
        ATTEMPTS + "test_a_webhook_is_failing_from_its_first_failure_until_something_is_taken",
    ),
    Mutant(
        "try now skips events",
        "subscriptions.try_now",
        "next_attempt_at=at_once)",
        'next_attempt_at=at_once, position=F("position") + 1)',
        ATTEMPTS + "test_try_now_tries_at_once_what_failed_and_skips_nothing",
    ),
    Mutant(
        "try now forgets the failures",
        "subscriptions.try_now",
        "next_attempt_at=at_once)",
        "**AFRESH)",
        ATTEMPTS + "test_a_try_that_fails_again_counts",
    ),
    Mutant(
        "attempts are kept for ever",
        "attempts.WRITE",
        "numbered WHERE number > {KEPT}",
        "numbered WHERE number > 1000000",
        ATTEMPTS + "test_of_many_the_newest_are_kept_and_failures_longer_than_successes",
    ),
    Mutant(
        "successes push out failures",
        "attempts.WRITE",
        "PARTITION BY error IS NULL ORDER",
        "ORDER",
        ATTEMPTS + "test_of_many_the_newest_are_kept_and_failures_longer_than_successes",
    ),
    Mutant(
        "a masked secret shows",
        "subscriptions.mask_url",
        "{host}/{hidden}",
        "{host}/{hidden and parts.query}",
        PAGES + "test_a_secret_in_a_url_is_shown_to_who_may_change_it_and_to_nobody_else",
    ),
    Mutant(
        "a secret of a path shows",
        "subscriptions.mask_url",
        "{host}/{hidden}",
        "{host}{parts.path}",
        PAGES + "test_a_secret_in_a_url_is_shown_to_who_may_change_it_and_to_nobody_else",
    ),
    Mutant(
        "a test is no attempt",
        "send_test",
        "    attempts.write(subscription, [attempt])\n",
        "",
        ATTEMPTS + "test_a_test_is_an_attempt_like_any_other_but_with_no_event",
    ),
    Mutant(
        "the whole url for everybody",
        "SubscriptionAdmin.describe",
        "if obj.url != obj.masked_url and request.user.has_perm(CHANGE) else None",
        "if obj.url != obj.masked_url else None",
        PAGES + "test_a_secret_in_a_url_is_shown_to_who_may_change_it_and_to_nobody_else",
    ),
    Mutant(
        "the API shows secrets of urls to all",
        "SubscriptionViewSet._show",
        'self.request.may("events.change_subscription")',
        "True",
        "tests/events/test_subscriptions_api.py::test_who_may_not_change_it_sees_no_secret_of_its_url",
    ),
    Mutant(
        "somebody else's unsent form",
        "unsent._name_purpose",
        'f"unsent form of {user_id} at {path}"',
        'f"unsent form at {path}"',
        UNSENT + "test_somebody_else_in_the_same_browser_sees_nothing_of_it",
    ),
    Mutant(
        "an unsent form is done after the login",
        "actions.run",
        "    if is_sent and not is_check and form.is_valid():\n",
        "    if not is_check and form.is_valid():\n",
        UNSENT + "test_what_was_typed_is_there_after_the_login_and_the_second_factor",
    ),
    Mutant(
        "a given password may stay",
        "site._require_own_password",
        "if user.must_change_password and match",
        "if not user.is_active and match",
        PASSWORDS + "test_a_new_member_of_staff_chooses_a_password_before_they_see_anything",
    ),
    Mutant(
        "a given password is chosen again",
        "OtherThanBefore.validate",
        "if user is not None and check_password(password, user.password):",
        "if user is None:",
        PASSWORDS + "test_the_password_that_was_given_is_not_chosen_again",
    ),
    Mutant(
        "two relays audit at once",
        "audit_when_due.Command.handle",
        "if is_free and audits.is_due(every):",
        "if audits.is_due(every):",
        AUDITING + "test_while_another_one_is_under_way_none_begins",
    ),
    Mutant(
        "a clean part hides what was found",
        "audits.find_standing",
        "filter(finished_at__gte=whole.finished_at)",
        "filter(finished_at__gt=whole.finished_at)",
        AUDITS + "test_a_clean_part_hides_nothing_that_was_found",
    ),
    Mutant(
        "an audit of a part puts off the next whole one",
        "audits.is_due",
        "is_whole=True, ",
        "",
        AUDITS + "test_one_is_due_when_the_last_of_everything_is_too_old",
    ),
]
