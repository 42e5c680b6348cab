"""Faults in what is owed and how it is collected, for `mutants` to plant."""

from tests.planted_faults import Mutant

CLAIMS = "tests/transactions/test_claims.py::"
COLLECTIONS = "tests/transactions/test_collections.py::"
REVERSALS = "tests/transactions/test_claimed_reversals.py::"

MUTANTS = [
    Mutant(
        "claims taken of what is held",
        "settling.claims._find_amount",
        "min(claim.remaining, account.balance - account.held)",
        "min(claim.remaining, account.balance)",
        CLAIMS + "test_held_money_is_not_taken_until_it_is_given_back",
    ),
    Mutant(
        "claims taken of credit",
        "settling.claims._find_amount",
        "min(claim.remaining, account.balance - account.held)",
        "min(claim.remaining, account.available)",
        CLAIMS + "test_credit_is_never_taken",
    ),
    Mutant(
        "the newest claim first",
        "settling.claims.collect",
        "for claim in state.list_open_claims(account.id):",
        "for claim in state.list_open_claims(account.id)[::-1]:",
        CLAIMS + "test_the_oldest_claim_is_collected_first",
    ),
    Mutant(
        "a transfer's claim paid to nobody",
        "ClaimedReversal.__post_init__",
        "next((leg.account_id for leg in self.rows if leg is not row), None)",
        "None",
        REVERSALS + "test_of_a_transfer_the_source_is_paid_what_is_really_taken",
    ),
    Mutant(
        "collections counted in the limit of the day",
        "decide_leg",
        "and not (leg.reverses or leg.claim)",
        "and not leg.reverses",
        CLAIMS + "test_a_frozen_account_and_limits_of_withdrawals_do_not_keep_it",
    ),
    Mutant(
        "what was collected is still owed",
        "commands.claim.tell",
        "account.owed - (before.remaining if before else 0) + claim.remaining",
        "account.owed + (0 if before else claim.remaining)",
        CLAIMS + "test_of_money_that_comes_in_what_is_owed_is_taken_first",
    ),
    Mutant(
        "claims not counted as taken back",
        "State._count_as_taken_back",
        "self.taken_back[id] = TakenBack(before.amount + claim.amount, claim.id)",
        "self.taken_back[id] = before",
        REVERSALS + "test_an_item_of_a_batch_claims_too",
    ),
    Mutant(
        "who is paid is not collected from",
        "settling.claims.collect",
        "waiting.append(claim.destination)",
        "pass",
        CLAIMS + "test_who_is_paid_may_owe_too",
    ),
    Mutant(
        "a reversal does not know the claim of its id",
        "Reversal.__post_init__",
        "._replace(claim=self.id)",
        "",
        REVERSALS + "test_an_id_of_a_claim_is_no_reversals",
    ),
]
