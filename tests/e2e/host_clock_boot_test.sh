# Both old systems reach their prompts with real time as their clock.
. "$(dirname "$0")/common.sh"
need "$tap"
need "$deob"

for cpu in full jslinux; do
  guest 0 --boot "jslinux:$tap" --cpu "$cpu" --expect "$tap_prompt"
  shows "Welcome to jslinux"
  guest 0 --boot "jslinux:$deob" --cpu "$cpu" --expect "$deob_prompt"
done
