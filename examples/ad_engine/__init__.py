"""Campaigns that run while their accounts have funds. A neighbour of the ledger: no part of it."""
