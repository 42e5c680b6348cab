#!/bin/sh
# All WAL into BACKUPS/stream, milliseconds behind the server. The slot keeps what was not received yet, however long
# that takes: max_slot_wal_keep_size bounds it. Options of pg_receivewal may follow.
set -eu
: "${BACKUPS:=/backups}" "${SLOT:=ledger_backup}"
mkdir -p "$BACKUPS/stream"
pg_receivewal --directory "$BACKUPS/stream" --slot "$SLOT" --create-slot --if-not-exists --no-password
exec pg_receivewal --directory "$BACKUPS/stream" --slot "$SLOT" --synchronous --no-password "$@"
