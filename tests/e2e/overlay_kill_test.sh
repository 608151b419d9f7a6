# A guest makes, changes and removes files and syncs, again and again, and says after each sync which round it was. The program is killed at
# a random instant. Then the overlay must open, and hold every round that the guest called synced.
#
#   overlay_kill_test.sh PROGRAM SOURCE_ROOT [KILLS [SEED]]
#
# The file system is ext2, which has no journal and writes its blocks in any order, so a kill may leave what was not yet synced in any
# state. What e2fsck -fn may therefore say of the disk as it was left:
#   * that bitmaps and free counts differ from the inodes;
#   * anything about an inode that belongs to no file of a synced round and to nothing that was there before.
# After e2fsck -fy, which must succeed, e2fsck -fn has nothing to say, and the files of all synced rounds have their content.
. "$(dirname "$0")/common.sh"
kills=${3:-10}
seed=${4:-$SRANDOM}
tool=$(dirname "$program")/tuxarium-disk
PATH=$PATH:/usr/sbin:/sbin
for name in zstd e2fsck debugfs "$tool"; do
  type -P "$name" > /dev/null || { echo "skipped: there is no $name"; exit 0; }
done
need_own_guest
echo "$kills kills, seed $seed"
RANDOM=$seed
cd -- "$work"
zstd -dq "$source_root/hao/image/root.ext2.zst" -o base.img

kept=20  # files of so many rounds are on the disk
# A file says in every 10 bytes or so which round it is of. A round removes only what an earlier one has synced, and nothing uses removed
# blocks before that is synced too.
loop='mkdir k; n=0; while :; do n=$((n+1)); w="round $n "; w="$w$w$w$w$w$w$w$w"; yes "$w$w" | head -c $((n*7919%150000+1)) > k/$n;
if [ $n -gt '$kept' ]; then rm k/$((n-'$kept')); fi; echo $n | dd of=counter conv=notrunc 2> /dev/null; sync; echo "=synced $n="; done'

content_of() {  # the file of round $1
  local words="round $1 "
  words=$words$words$words$words$words$words$words$words
  { yes "$words$words" || true; } | head -c $(($1 * 7919 % 150000 + 1))
}
last_synced() { grep -o '^=synced [0-9]*=' console | tail -1 | tr -dc 0-9; }

# Starts a guest on the overlay and kills it at an instant up to a second after its first sync.
run_and_kill() {
  "$program" --ram 24M --hda file:base.img,ro --overlay changes --timeout 600 --expect '/root # ' --send "${loop//$'\n'/ }\n" --expect never \
    > console 2> said < /dev/null &
  local pid=$!
  until grep -q '^=synced' console 2> /dev/null; do
    kill -0 "$pid" 2> /dev/null || fail "the run has ended"
    sleep 0.02
  done
  sleep "$(printf '0.%05d' $((RANDOM * 32768 % 100000 + RANDOM % 100)))"
  kill -9 "$pid"
  { wait "$pid" || true; } 2> wait
}

# Fails when e2fsck's words in `check` are more than the comment above allows, with the rounds after $2 and up to $1 synced. Inodes are
# given out in order: none up to that of the guest's new folder is of a file that a round made.
only_unsynced() {
  local line inode synced folder
  folder=$(awk -F/ '$6 == "." { print $2 }' listing)
  synced=" $(awk -F/ -v newest="$1" -v oldest="$2" '$6 ~ /^[0-9]+$/ && $6 <= newest && $6 > oldest { print $2 }' listing | tr '\n' ' ') "
  while IFS= read -r line; do
    case $line in
      '' | Pass\ * | *bitmap\ differences:* | Free\ *s\ count\ wrong* | Directories\ count\ wrong* | *\?\ no | \
        *WARNING:\ Filesystem\ still\ has\ errors* | *'files ('*'blocks') continue ;;
    esac
    grep -qi 'inode #\?[0-9]' <<< "$line" || fail "e2fsck says: $line"
    for inode in $(grep -oiE 'inodes? #?[0-9]+' <<< "$line" | tr -dc '0-9\n'); do
      if ((inode <= folder)) || [[ $synced == *" $inode "* ]]; then fail "e2fsck says of what was synced: $line"; fi
    done
  done < check
}

unclean=0 rounds=0
for ((i = 1; i <= kills; ++i)); do
  rm -rf changes found console
  run_and_kill
  newest=$(last_synced)
  "$tool" verify changes > verified 2> said || fail "kill $i: the overlay is refused"
  "$tool" merge base.img disk.img --overlay changes --force > merged 2> said || fail "kill $i: the overlay does not merge"
  debugfs -R 'ls -p /root/k' disk.img > listing 2> /dev/null
  status=0
  e2fsck -fn disk.img > check 2> /dev/null || status=$?
  if ((status != 0)); then
    ((unclean += 1))
    only_unsynced "$newest" $((newest - kept + 1))
    status=0
    e2fsck -fy disk.img > repair 2>&1 || status=$?
    ((status <= 1)) || fail "kill $i: e2fsck -fy ended with status $status"
    e2fsck -fn disk.img > check 2>&1 || fail "kill $i: the disk is not clean after its repair"
  fi
  mkdir found
  debugfs -R 'rdump /root/k found' disk.img 2> /dev/null
  latest=$(ls found/k | sort -n | tail -1)
  ((latest >= newest)) || fail "kill $i: the file of round $newest is lost, the last is that of $latest"
  # The round after the last that left a file may have removed one more.
  for ((round = latest - kept + 2; round <= newest; ++round)); do
    ((round < 1)) || content_of "$round" | cmp -s - "found/k/$round" || fail "kill $i: synced to round $newest, and the file of $round is not whole"
  done
  counter=$(debugfs -R 'cat /root/counter' disk.img 2> /dev/null)
  ((counter >= newest && counter <= latest)) || fail "kill $i: synced to round $newest, and the counter says $counter"
  ((rounds += newest))
  ((i % 10 != 0)) || echo "$i kills, $rounds rounds synced"
done
echo "$kills kills, $rounds rounds synced, $unclean disks that e2fsck had to repair, none with a synced block lost"
