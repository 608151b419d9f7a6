# `halt` halts, `reboot` boots again, and with --no-reboot ends the run.
. "$(dirname "$0")/common.sh"
need "$tap"

guest 0 --boot "jslinux:$tap" --expect "$tap_prompt" --send 'halt -f\n' --expect 'System halted\.'
shows_not "task_no_data_intr"

guest 0 --boot "jslinux:$tap" --expect "$tap_prompt" --send 'reboot -f\n' --expect 'Restarting system\.' --expect 'Starting Linux' \
  --expect "$tap_prompt"
grep -q "boots again" "$work/said" || fail "the reset was not reported"

guest 0 --boot "jslinux:$tap" --no-reboot --expect "$tap_prompt" --send 'reboot -f\n' --expect 'Restarting system\.' --stats json

guest 1 --boot "jslinux:$tap" --no-reboot --expect "$tap_prompt" --send 'reboot -f\n' --expect 'never shown'
grep -q "never shown" "$work/said" || fail "the step that was waited for is not named"

# A guest that has halted for good ends the program with status 0, whether the commands come from a script or from standard input.
for command in 'halt -f' 'poweroff -f'; do
  { sleep 3; printf '%s\n' "$command"; } | timeout 60 "$program" --boot "jslinux:$tap" --timeout 50 > "$work/console" 2> "$work/said" ||
    fail "$command ended with status $?"
  shows "System halted."
done
