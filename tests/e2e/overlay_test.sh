# What the guest writes is in the overlay in the next run, also when the program was killed after a flush; the pieces stay as they are.
. "$(dirname "$0")/common.sh"
need "$tap"

before=$(cat "$tap"/hda/*.bin | md5sum)
overlay=$work/my\ overlay
guest 0 --boot "jslinux:$tap" --overlay "$overlay" --expect "$tap_prompt" \
  --send 'mount -o remount,rw / && echo kept > /root/note; sync; mount -o remount,ro /; echo do"ne"\n' --expect 'done' --expect "$tap_prompt"
guest 0 --boot "jslinux:$tap" --overlay "$overlay" --expect "$tap_prompt" --send 'cat /root/note\n' --expect '^kept' --expect "$tap_prompt"

# Killed while it writes.
"$program" --boot "jslinux:$tap" --overlay "$overlay" --timeout 600 --expect "$tap_prompt" \
  --send 'mount -o remount,rw / && echo second > /root/second; sync; echo do"ne"; while :; do cat /bin/* > /root/big; sync; done\n' \
  --expect 'never' > "$work/console" 2> "$work/said" < /dev/null &
pid=$!
until grep -q '^done' "$work/console"; do
  kill -0 "$pid" 2> /dev/null || fail "the run has ended"
  sleep 0.1
done
sleep 1
kill -9 "$pid"
wait "$pid" || true
guest 0 --boot "jslinux:$tap" --overlay "$overlay" --expect "$tap_prompt" --send 'cat /root/note /root/second\n' --expect '^kept' --expect '^second' \
  --expect "$tap_prompt"

guest 2 --boot "jslinux:$tap" --hda none --overlay "$overlay"
grep -q -- --overlay "$work/said" || fail "the message does not name --overlay"
[[ $before == "$(cat "$tap"/hda/*.bin | md5sum)" ]] || fail "the pieces on the host have changed"
