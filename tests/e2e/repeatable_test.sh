# With instructions as the clock, the same inputs give the same state, output and count.
. "$(dirname "$0")/common.sh"
need "$tap"

run() {
  guest 0 --boot "jslinux:$tap" --clock cycles --seed 7 --expect "$tap_prompt" --send 'tcc -o hello hello.c && ./hello; date\n' --expect "$tap_prompt" \
    --hash --stats json
  cp "$work/console" "$work/console.$1"
  { grep '^state_hash=' "$work/said"; grep -oE '"(cycles|interrupts|exceptions)": [0-9]+' "$work/said"; } > "$work/figures.$1"
}
run 1
run 2
cmp "$work/console.1" "$work/console.2" || fail "the consoles differ"
diff "$work/figures.1" "$work/figures.2" || fail "the figures differ"
grep -q '^state_hash=[0-9a-f]\{16\}$' "$work/figures.1" || fail "there is no digest"
