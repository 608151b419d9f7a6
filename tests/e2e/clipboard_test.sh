# The clipboard both ways: text, nothing, much, and UTF-8.
. "$(dirname "$0")/common.sh"
need "$tap"

# The guest runs what it finds in the clipboard while it boots: only comments and blank lines here.
printf '# first line\n#  na\303\257ve \342\202\254\n' > "$work/in"
guest 0 --boot "jslinux:$tap" --clipboard-in "$work/in" --clipboard-out "$work/out" --expect "$tap_prompt" \
  --send 'md5sum < /dev/clipboard\n' --expect "$tap_prompt" \
  --send 'printf "from the guest \\303\\251\\n" > /dev/clipboard\n' --expect "$tap_prompt" \
  --send 'echo "[$(cat /dev/clipboard)]"\n' --expect "$tap_prompt"
shows "$(md5sum < "$work/in" | cut -d' ' -f1)"
printf 'from the guest \303\251\n' | cmp - "$work/out" || fail "the guest's text came out changed"
shows "[from the guest "

: > "$work/in"
rm -f "$work/out"
guest 0 --boot "jslinux:$tap" --clipboard-in "$work/in" --clipboard-out "$work/out" --expect "$tap_prompt" \
  --send 'wc -c < /dev/clipboard; : > /dev/clipboard\n' --expect '^0\r\n' --expect "$tap_prompt"
[[ ! -e $work/out ]] || fail "nothing was written, and yet there is a file"

# 300 kB, so that the text takes many reads and writes.
for ((i = 0; i < 10000; ++i)); do printf '# line %020d\n' "$i"; done > "$work/in"
guest 0 --boot "jslinux:$tap" --clipboard-in "$work/in" --clipboard-out "$work/out" --expect "$tap_prompt" \
  --send 'cat /dev/clipboard > /tmp/text; md5sum < /tmp/text\n' --expect "$tap_prompt" \
  --send 'cat /tmp/text /tmp/text > /dev/clipboard\n' --expect "$tap_prompt"
shows "$(md5sum < "$work/in" | cut -d' ' -f1)"
cat "$work/in" "$work/in" | cmp - "$work/out" || fail "the large text came out changed"
