"""What a neighbour's tests need: a real ledger of their own, and a network that goes wrong when it is told
to."""

from ledger_client.testing.network import BadNetwork, Fate
from ledger_client.testing.server import LedgerServer, find_free_port

__all__ = ["BadNetwork", "Fate", "LedgerServer", "find_free_port"]
