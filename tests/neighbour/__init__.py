"""A neighbour of the ledger in the monolith: a shop, whose purchases are paid from accounts."""
