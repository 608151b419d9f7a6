# Read by every test here: common.sh "$@" with the program and the root of the sources.
set -euo pipefail

program=$1
source_root=$2
tap=$source_root/../shared/jslinux-tap
deob=$source_root/../shared/jslinux-2011
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

need() {
  [[ -d $1 ]] || { echo "skipped: no ../shared/${1##*/}"; exit 0; }
}

need_own_guest() {
  grep -q 'the Linux inside this program' <<< "$("$program" --help)" || { echo "skipped: no Linux inside the program"; exit 0; }
}

# Runs a guest with its console in $work/console and what the program says in $work/said; fails with both when the status is not $1. A guest
# that hangs is given up after $guest_timeout seconds.
guest() {
  local expected=$1 status=0
  shift
  "$program" --timeout "${guest_timeout:-600}" "$@" > "$work/console" 2> "$work/said" < /dev/null || status=$?
  if ((status != expected)); then
    fail "the status is $status, not $expected"
  fi
}

fail() {
  echo "FAILED: $*"
  echo "--- what the program said"
  cat "$work/said"
  echo "--- the end of the console"
  tail -40 "$work/console"
  exit 1
}

# A shell command at the prompt of each guest, and the prompt after it.
tap_prompt='/var/root # $'
deob_prompt='~ # $'

# shows TEXT: the console has it somewhere, as one line or a part of it.
shows() {
  tr -d '\r' < "$work/console" | grep -qF -- "$1" || fail "the console does not show: $1"
}
shows_not() {
  ! tr -d '\r' < "$work/console" | grep -qF -- "$1" || fail "the console shows: $1"
}
