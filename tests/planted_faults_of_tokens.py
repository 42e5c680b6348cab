"""Planted faults of tokens: what they may, and who is told what of them. For `tests/mutants.py`."""

from tests.planted_faults import Mutant

TOKENS = "tests/accounts/test_tokens.py::"
BOUNDS = "tests/transactions/test_bounds.py::"
AUTHENTICATION = "tests/rest/test_authentication.py::"
GUARDS = "tests/test_token_guards.py::"
METRICS = "tests/ledger_project/test_metrics_of_tokens.py::"

MUTANTS = [
    Mutant(
        "a token may what its service may",
        "rest.tokens.look_up",
        "permissions = frozenset(candidate.permissions).intersection(own)",
        "permissions = frozenset(candidate.user.get_all_permissions())",
        AUTHENTICATION + "test_a_token_has_of_its_own_permissions_those_that_its_user_has",
    ),
    Mutant(
        "a token may more than its service",
        "rest.tokens.look_up",
        "permissions = frozenset(candidate.permissions).intersection(own)",
        "permissions = frozenset(candidate.permissions)",
        AUTHENTICATION + "test_a_token_has_of_its_own_permissions_those_that_its_user_has",
    ),
    Mutant(
        "a revoked token is taken",
        "rest.tokens.look_up",
        "filter(user__is_active=True, revoked_at=None)",
        "filter(user__is_active=True)",
        AUTHENTICATION + "test_a_revoked_token_counts_when_the_cache_has_forgotten_it",
    ),
    Mutant(
        "the end of a token is told to who has its beginning",
        "rest.tokens.look_up",
        "if compare_digest(hash_token(text), candidate.digest):",
        "if compare_digest(hash_token(text), candidate.digest) or text.startswith(candidate.token_key):",
        AUTHENTICATION + "test_that_a_token_has_expired_is_told_to_who_has_all_of_it",
    ),
    Mutant(
        "an expired token is used",
        "TokenAuthentication.authenticate_credentials",
        "            known_tokens.find(token)  # raises when it has expired\n"
        "            known_tokens.note_use(known)\n",
        "            known_tokens.note_use(known)\n            known_tokens.find(token)\n",
        AUTHENTICATION + "test_wrong_and_expired_tokens_are_not_used",
    ),
    Mutant(
        "every process notes every use",
        "tokens.NOTE_USES",
        "    WHERE (token.last_used_at > seen.used_at - interval '1 minute') IS NOT TRUE\n",
        "",
        AUTHENTICATION + "test_a_use_is_written_once_in_a_minute_and_only_forward",
    ),
    Mutant(
        "the permissions of all groups",
        "accounts.tokens.issue",
        "Permission.objects.filter(group__in=found)",
        "Permission.objects.filter(group__user=user)",
        TOKENS + "test_a_token_has_the_permissions_of_the_groups_that_are_named_and_of_no_other",
    ),
    Mutant(
        "permissions that the service has not got",
        "tokens._require_permissions",
        "if not user.is_superuser and (beyond",
        "if user.is_superuser and (beyond",
        TOKENS + "test_what_no_token_can_be_bound_to_and_what_its_service_may_not_is_refused",
    ),
    Mutant(
        "tokens are issued without a lock",
        "accounts.tokens.issue",
        "User.objects.select_for_update(no_key=True).get(pk=user.pk)",
        "User.objects.get(pk=user.pk)",
        TOKENS + "test_the_user_is_locked_while_a_token_is_issued",
    ),
    Mutant(
        "tokens put in by SQL unnoticed",
        "audit_tokens.TOKENS",
        "WHERE namesakes > 1 OR tokens.words IS DISTINCT FROM told.words",
        "WHERE namesakes > 1 OR tokens.words <> told.words",
        TOKENS + "test_the_audit_finds_a_token_that_nobody_has_issued",
    ),
    Mutant(
        "two tokens that begin alike unnoticed",
        "audit_tokens.TOKENS",
        "WHERE namesakes > 1 OR tokens.words",
        "WHERE tokens.words",
        TOKENS + "test_the_audit_finds_a_token_that_begins_as_one_that_was_issued",
    ),
    Mutant(
        "bounds are looked at nowhere",
        "views.post_list",
        "    if bounds is not None:\n",
        "    if bounds is None:\n        pass\n    elif False:\n",
        BOUNDS + "test_each_command_is_bound_to_accounts_by_their_names",
    ),
    Mutant(
        "a transfer is bound on its source alone",
        "bounds._find_moves",
        "for leg in command.legs:",
        "for leg in command.legs[:1]:",
        BOUNDS + "test_each_command_is_bound_to_types",
    ),
    Mutant(
        "all that a hold has left is bound to nothing",
        "bounds._find_amount",
        "return Decimal(0) if hold is None else hold.remaining",
        "return Decimal(0)",
        BOUNDS + "test_a_list_that_takes_more_of_a_hold_than_allowed_is_refused_as_a_whole",
    ),
    Mutant(
        "a batch points nowhere",
        "bounds.require_within",
        "            error.command = command\n",
        "",
        BOUNDS + "test_a_batch_is_refused_as_a_whole_and_points_to_the_transaction",
    ),
    Mutant(
        "a token gets more permissions",
        "accounts.migrations._who_is_who.GUARDS",
        "NEW.created, NEW.expiry, NEW.permissions,",
        "NEW.created, NEW.expiry, OLD.permissions,",
        GUARDS + "test_what_a_token_may_stays_as_it_was_issued",
    ),
    Mutant(
        "a revoked token is taken back",
        "accounts.migrations._who_is_who.GUARDS",
        "        OR OLD.revoked_at IS NOT NULL AND OLD.revoked_at IS DISTINCT FROM NEW.revoked_at\n",
        "",
        GUARDS + "test_what_a_token_may_stays_as_it_was_issued",
    ),
    Mutant(
        "a use goes back",
        "accounts.migrations._who_is_who.GUARDS",
        "(NEW.last_used_at >= OLD.last_used_at) IS NOT TRUE",
        "NEW.last_used_at IS NULL",
        GUARDS + "test_what_a_token_may_stays_as_it_was_issued",
    ),
    Mutant(
        "every token reads the metrics",
        "metrics._require_permission",
        "if PERMISSION not in found[1].permissions:",
        "if False:",
        METRICS + "test_private_metrics_are_for_who_may_read_them",
    ),
    Mutant(
        "the end of a revoked token alarms",
        "accounts.metrics.NEAREST",
        "WHERE revoked_at IS NULL AND expiry > clock_timestamp()",
        "WHERE expiry > clock_timestamp()",
        METRICS + "test_the_nearest_end_is_of_a_token_that_is_still_taken",
    ),
]
