# Our tapper in the old guest: the script for its clipboard compiles it with the guest's own tcc and brings the network up.
. "$(dirname "$0")/common.sh"
need "$tap"

bash "$source_root/hao/guest_tools/old-guest-net-up" > "$work/script"
# Two that start at once differ in their hardware addresses.
"$program" --timeout 600 --boot "jslinux:$tap" --clipboard-in "$work/script" --serial2 "file:$work/other" --expect "$tap_prompt" \
  --send 'ping -c 1 10.0.2.1\n' --expect 'packet loss' > /dev/null 2>&1 < /dev/null & other=$!
guest 0 --boot "jslinux:$tap" --clipboard-in "$work/script" --serial2 "file:$work/out" --expect "$tap_prompt" \
  --send 'ifconfig tap0; route -n; ping -c 1 10.0.2.1\n' --expect 'packet loss' --expect "$tap_prompt"
address=$(tr -d '\r' < "$work/console" | sed -n 's/^tap0: \(10\.0\.2\.[0-9]*\)$/\1/p')
[[ -n $address ]] || fail "tapper told no address"
shows "inet addr:$address "
shows 'UP BROADCAST RUNNING'
grep -q '^0\.0\.0\.0 *10\.0\.2\.1 ' "$work/console" || fail "no default route"

# What came out: whole frames, the first of them an ARP request of 42 bytes to all.
head=$(od -An -tx1 -N 16 "$work/out" | tr -d " \n")
[[ $head == 002affffffffffff????????????0806 ]] || fail "the first frame is $head"
(($(stat -c %s "$work/out") % 44 == 0)) || fail "$(stat -c %s "$work/out") bytes on the line are no whole ARP frames"
wait $other || fail "the second machine ended with status $?"
[[ -s $work/other ]] || fail "the second machine sent nothing"
! cmp -s -n 14 "$work/out" "$work/other" || fail "two machines have one hardware address"
