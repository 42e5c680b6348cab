#!/bin/sh
# All WAL into BACKUPS/stream, milliseconds behind the server. The slot keeps what was not received yet, however long
# that takes: max_slot_wal_keep_size bounds it. Options of pg_receivewal may follow.
set -eu
: "${BACKUPS:=/backups}" "${SLOT:=ledger_backup}"
mkdir -p "$BACKUPS/stream"
# A file that was cut while it was laid out has nothing but zeros, and pg_receivewal would refuse its size for ever.
for part in "$BACKUPS"/stream/*.partial; do
  if [ -e "$part" ] && [ "$(tr -d '\0' <"$part" | head -c 1 | wc -c)" -eq 0 ]; then
    rm "$part"
  fi
done
pg_receivewal --directory "$BACKUPS/stream" --slot "$SLOT" --create-slot --if-not-exists --no-password
exec pg_receivewal --directory "$BACKUPS/stream" --slot "$SLOT" --synchronous --no-password "$@"
