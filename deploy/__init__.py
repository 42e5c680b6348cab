"""What the ledger is deployed and watched with."""
