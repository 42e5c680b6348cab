"""Lists that the ledger's own indexes do not suffice for: what is asked for, and pages of the answer."""
