# shellcheck shell=bash
# stage NAME MINUTES COMMAND...: runs the command and fails if it fails, or if it took longer than its budget.
# LEDGER_NO_BUDGET=1, for slow machines of developers, only prints what was too long. The table comes at the end.

stages=$(printf '%-28s %9s %7s' stage "min used" budget)

stage() {
  local name=$1 minutes=$2 began=$SECONDS used
  shift 2
  printf '\n== %s, %s minutes at most\n' "$name" "$minutes"
  "$@"
  used=$((SECONDS - began))
  printf -v used '%d.%d' $((used / 60)) $((used % 60 / 6))
  stages+=$(printf '\n%-28s %9s %7s' "$name" "$used" "$minutes")
  if ((SECONDS - began > minutes * 60)); then
    printf '%s took %s minutes, and has %s.\n' "$name" "$used" "$minutes" >&2
    [ -n "${LEDGER_NO_BUDGET:-}" ] || exit 1
  fi
}

trap 'printf "\n%s\n" "$stages"' EXIT
