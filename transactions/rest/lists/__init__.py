"""What lists are asked for, and the pages that they are answered in, where the ledger's indexes do not suffice."""
