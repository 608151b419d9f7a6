# The disk remounted for writing: what is written can be read again after a remount, without an error; pieces on the host stay as they are.
. "$(dirname "$0")/common.sh"
need "$tap"

before=$(cat "$tap"/hda/*.bin | md5sum)
guest 0 --boot "jslinux:$tap" --expect "$tap_prompt" \
  --send 'mount -o remount,rw / && dd if=/dev/zero bs=1k count=300 | tr "\\0" x > /root/big; md5sum < /root/big\n' --expect "$tap_prompt" \
  --send 'sync; mount -o remount,ro / && echo 3 > /proc/sys/vm/drop_caches; md5sum < /root/big; mount | grep -c " / .*ro"\n' --expect "$tap_prompt" \
  --stats json
sum=$(head -c 307200 /dev/zero | tr '\0' x | md5sum | cut -d' ' -f1)
(($(grep -c "$sum" "$work/console") == 2)) || fail "the file was not read back as it was written, twice"
shows_not "task_out_intr"
shows_not "I/O error"
grep -q '"disk_bytes_written": [1-9]' "$work/said" || fail "no byte was written to the disk"
[[ $before == "$(cat "$tap"/hda/*.bin | md5sum)" ]] || fail "the pieces on the host have changed"

# The same on a raw image in place: what is written is there in the next run.
cat "$tap"/hda/*.bin > "$work/disk.img"
guest 0 --boot "jslinux:$tap" --hda "file:$work/disk.img" --expect "$tap_prompt" \
  --send 'mount -o remount,rw / && echo kept > /root/note; sync; mount -o remount,ro /; echo do"ne"\n' --expect 'done' --expect "$tap_prompt"
guest 0 --boot "jslinux:$tap" --hda "file:$work/disk.img" --expect "$tap_prompt" --send 'cat /root/note\n' --expect '^kept' --expect "$tap_prompt"
