#!/bin/sh
# A data folder that PostgreSQL, started on it, recovers from BACKUPS: restore.sh FOLDER [MOMENT]
# up to the moment ('2026-11-26 05:10:23.5+00'), or as far as there is WAL. PostgreSQL must see BACKUPS at the same path.
set -eu
: "${BACKUPS:=/backups}"
data=$1 moment=${2:-}
until=${moment:+$(date -u -d "$moment" +%Y-%m-%dT%H%M%SZ)}
base=
for each in "$BACKUPS"/base/*Z; do
  # Whole before that second began; without a moment, the last one.
  if [ -d "$each" ] && expr "$(basename "$each")" '<' "${until:-Z}" >/dev/null; then base=$each; fi
done
if [ -z "$base" ]; then
  echo "There is no backup from before that moment in $BACKUPS/base." >&2
  exit 1
fi
mkdir -m 0700 "$data"
cp -R "$base/." "$data"
cat >>"$data/postgresql.conf" <<CONF
restore_command = 'cp $BACKUPS/stream/%f %p || cp $BACKUPS/stream/%f.partial %p'
recovery_target_action = promote
${moment:+recovery_target_time = '$moment'}
CONF
touch "$data/recovery.signal"
echo "$base"
