"""How the database is, as it tells everybody who may log in; the relay serves it (`ledger_project.metrics`).

Details of replicas are shown to members of `pg_read_all_stats` alone: without that role there is no lag here.
"""

from collections.abc import Iterator

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from prometheus_client.core import Metric

from ledger.figures import DatabaseCollector, counters, gauge, gauges
from ledger.sql import fetch

CONNECTIONS = """
SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity
WHERE datname = current_database() GROUP BY 1
"""
SERVER = """
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
    age(datfrozenxid), pg_database_size(oid), coalesce(checksum_failures, 0),
    (SELECT count(*) FROM pg_stat_replication)
FROM pg_database JOIN pg_stat_database ON datid = oid WHERE pg_database.datname = current_database()
"""
OF_SERVER = {
    "ledger_database_connections_max": "Connections that the server takes from others than superusers.",
    "ledger_database_xid_age": "Transactions since the oldest row that is not frozen.",
    "ledger_database_size_bytes": "Of tables and indexes, without the WAL.",
    "ledger_database_checksum_failures": "Pages of this database that were not as they were written.",
    "ledger_database_replicas": "Standbys, and others who receive the WAL.",
}
REPLICAS = """
SELECT application_name, max(extract(epoch FROM coalesce(replay_lag, '0'))) FROM pg_stat_replication
WHERE state IS NOT NULL GROUP BY 1
"""
SLOTS = """
SELECT slot_name, active::int, coalesce(pg_wal_lsn_diff(
    CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, restart_lsn
), 0)
FROM pg_replication_slots
"""
ARCHIVER = """
SELECT failed_count, (current_setting('archive_mode') <> 'off')::int,
    coalesce(extract(epoch FROM last_archived_time), 0)
FROM pg_stat_archiver
"""


class ServerMetrics(DatabaseCollector):
    def read(self) -> Iterator[Metric]:
        text = "Open connections to the ledger's database."
        yield gauges("ledger_database_connections", text, ("state",), fetch(CONNECTIONS))
        for (name, text), value in zip(OF_SERVER.items(), fetch(SERVER)[0], strict=True):
            yield gauge(name, text, value)


class ReplicationMetrics(DatabaseCollector):
    def read(self) -> Iterator[Metric]:
        text = "How far a replica's answers are behind."
        yield gauges("ledger_database_replica_lag_seconds", text, ("replica",), fetch(REPLICAS))
        slots = fetch(SLOTS)
        active, retained = [row[:2] for row in slots], [(row[0], row[2]) for row in slots]
        yield gauges("ledger_database_slot_active", "1 while somebody reads from it.", ("slot",), active)
        text = "WAL that is kept for it."
        yield gauges("ledger_database_slot_retained_bytes", text, ("slot",), retained)


class ArchiverMetrics(DatabaseCollector):
    def read(self) -> Iterator[Metric]:
        [[failures, is_on, archived]] = fetch(ARCHIVER)
        yield counters("ledger_database_archive_failures", "Failed `archive_command`s.", (), [[failures]])
        yield gauge("ledger_database_archiving", "1 if the server has an archive.", is_on)
        text = "When a file of the WAL last came into the archive, in Unix time; 0: never."
        yield gauge("ledger_database_archived_timestamp_seconds", text, archived)


class MigrationMetrics(DatabaseCollector):
    """Of this process's code. What it has was read once."""

    def __init__(self) -> None:
        self.known: set[tuple[str, str]] | None = None

    def read(self) -> Iterator[Metric]:
        if self.known is None:
            self.known = set(MigrationLoader(None).disk_migrations or ())
        applied = set(MigrationRecorder(connection).applied_migrations())
        text = "Migrations that the database has not got."
        yield gauge("ledger_migrations_pending", text, len(self.known - applied))
