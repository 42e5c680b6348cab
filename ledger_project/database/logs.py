"""What a PostgreSQL that has the ledger must not log: its messages quote rows, and what was sent.

The service itself tells of errors, by their codes. A server of somebody else's is set up so by its owner
(docs/operations.md).
"""

QUIET = {
    "log_min_messages": "log",  # no errors of statements: `Key (external_id)=(…) already exists`
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",  # of slow statements, if they are logged
    "log_parameter_max_length_on_error": "0",
}
