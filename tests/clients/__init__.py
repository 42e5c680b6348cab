"""The published clients, where it takes the ledger's own tools of destruction to try them."""
