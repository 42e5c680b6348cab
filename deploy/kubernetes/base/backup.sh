#!/bin/sh
# A base backup in BACKUPS/base, verified, and named by the time when it was whole. Those that are older than KEEP_DAYS
# go, and with them the WAL in BACKUPS/stream that no base backup needs any more. PGSERVICE or PGHOST … say where the
# server is.
set -eu
: "${BACKUPS:=/backups}" "${KEEP_DAYS:=14}"
base=$BACKUPS/base part=$BACKUPS/base/part
mkdir -p "$base" "$BACKUPS/stream"
rm -rf "$part"
pg_basebackup --pgdata "$part" --checkpoint fast --wal-method stream --manifest-checksums SHA256 --no-password
pg_verifybackup --quiet "$part"
name=$(date -u +%Y-%m-%dT%H%M%SZ)
mv "$part" "$base/$name"
sync
find "$base" -mindepth 1 -maxdepth 1 -name '*Z' ! -name "$name" -mtime "+$KEEP_DAYS" -exec rm -rf {} +
# The first segment that a backup needs stands in its label.
oldest=$(find "$base" -mindepth 1 -maxdepth 1 -name '*Z' | sort | head -n 1)
segment=$(sed -n 's/^START WAL LOCATION: .*(file \([0-9A-F]*\))$/\1/p' "$oldest/backup_label")
pg_archivecleanup "$BACKUPS/stream" "$segment"
echo "$base/$name"
