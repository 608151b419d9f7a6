# An overlay where the host has no space, or will not have one written: the guest sees errors and goes on, so does the host, and what was
# synced before is in the overlay at the next start. Wrong overlays are refused with a sentence before anything starts.
. "$(dirname "$0")/common.sh"
tool=$(dirname "$program")/tuxarium-disk
need_own_guest
prompt='/root # '

# fills OVERLAY: a guest writes something, syncs it, then writes more than the host has room for; and is a good guest after that.
fills() {
  guest 0 --ram 24M --overlay "$1" --expect "$prompt" --send 'echo kept > note; sync; echo syn"ced"\n' --expect 'synced' --expect "$prompt" \
    --send 'dd if=/dev/zero of=big bs=64k count=64 conv=fsync || echo dd fai"led"\n' --expect 'failed' --expect "$prompt" \
    --send 'cat note; dmesg | grep -c "I/O error"\n' --expect '^kept' --expect '^[1-9]' --expect "$prompt" --send 'poweroff\n' --expect 'Power down'
  grep -q 'hda: \(write\|flush\) failed' "$work/said" || fail "the host was not told"
}
# keeps OVERLAY: it is whole, and the synced file is in it.
keeps() {
  [[ ! -x $tool ]] || "$tool" verify "$1" > "$work/verified" 2> "$work/said" || fail "the overlay is not whole"
  guest 0 --ram 24M --overlay "$1" --expect "$prompt" --send 'cat note\n' --expect '^kept' --expect "$prompt" --send 'poweroff\n' --expect 'Power down'
}

# A limit on the size of files stands for a full disk: writes fail in the same place, in the middle of a record.
overlay="$work/my changes"
(
  trap '' XFSZ
  ulimit -f 4000
  fills "$overlay"
)
(($(stat -c %s "$overlay") <= 4000 * 1024)) || fail "the overlay is larger than the limit"
keeps "$overlay"

# A disk that is full, and then read-only; only root can make one.
small=$work/small
mkdir "$small"
if mount -t tmpfs -o size=4000k tuxarium-test "$small" 2> /dev/null; then
  trap 'umount "$small"; rm -rf -- "$work"' EXIT
  fills "$small/changes"
  cp "$small/changes" "$work/from the full disk"
  keeps "$work/from the full disk"
  rm "$small/changes"
  mount -o remount,ro "$small"
  guest 2 --overlay "$small/changes"
  grep -q 'Read-only file system' "$work/said" || fail "the message does not say why"
fi

# refused WORD OVERLAY OPTION...: status 2, a sentence with WORD and the path, the file as it was.
refused() {
  local word=$1 file=$2 before
  shift 2
  before=$(md5sum < "$file")
  guest 2 --overlay "$file" "$@"
  grep -q -- "$word" "$work/said" || fail "the message does not say: $word"
  grep -qF -- "$file" "$work/said" || fail "the message does not name $file"
  [[ $(md5sum < "$file") == "$before" ]] || fail "$file has changed"
}
head -c 1000000 /dev/urandom > "$work/random noise"
refused 'not an overlay' "$work/random noise"
truncate -s 24M "$work/other disk"
refused 'another disk' "$overlay" --hda "file:$work/other disk,ro"
printf x | dd of="$overlay" bs=1 seek=5000 conv=notrunc status=none
refused 'damaged at byte' "$overlay"
guest 2 --overlay "$work/no such folder/changes"
grep -q 'no such folder' "$work/said" || fail "the message does not name the folder"
