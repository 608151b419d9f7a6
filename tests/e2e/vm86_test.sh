# A DOS program in virtual-8086 mode writes what it wrote in the original.
. "$(dirname "$0")/common.sh"
need "$tap"

sum=$(grep -oE '^[0-9a-f]{32}' "$tap/golden/tap_vm86_hpigot.txt")
for cpu in full jslinux; do
  guest 0 --boot "jslinux:$tap" --cpu "$cpu" --expect "$tap_prompt" --send 'cd dos; ./hpigot.com | md5sum; cd ..\n' --expect '^[0-9a-f]{32}' --expect "$tap_prompt"
  shows "$sum"
done
