"""What is counted about postings; `ledger_project.metrics` serves it over all workers."""

from prometheus_client import Counter, Histogram

POSTINGS = Counter("ledger_postings", "Transactions decided, by type and outcome.", ["type", "outcome"])
POSTING_SECONDS = Histogram(
    "ledger_posting_seconds",
    "Time of one call of posting.post, from its first look to its commit, retries included.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
POSTING_RETRIES = Counter(
    "ledger_posting_retries", "Postings run again after a lost connection, a deadlock or a lost race."
)
HOLDS_EXPIRED = Counter("ledger_holds_expired", "Ends of holds that were written because they were due.")
COLLECTIONS = Counter("ledger_collections", "Withdrawals that have taken what was claimed.")
CROSSINGS = Counter("ledger_crossings", "Thresholds of accounts that were crossed.", ["type"])
for _type in ("balance.fell_below", "balance.rose_above"):
    CROSSINGS.labels(type=_type)  # begins with 0, so that the first one is seen to come
