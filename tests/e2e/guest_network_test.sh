# The network of the Linux inside the program: hardware addresses, tapper's place on the line, and two guests on one wire, of which one
# gets its address from the other.
. "$(dirname "$0")/common.sh"
[[ -f $source_root/hao/image/root.ext2.zst ]] || { echo "skipped: no default guest"; exit 0; }
status=0
"$program" --boot default --max-cycles 1000 > "$work/console" 2> "$work/said" < /dev/null || status=$?
if grep -q "built without a Linux" "$work/said"; then echo "skipped: built without tuxarium::guest"; exit 0; fi
prompt='/root # $'

# Two machines that start in the same second have different hardware addresses; with the same seed and no clock of the host's, the same one.
mac() {
  local name=$1
  shift
  "$program" --timeout 600 "$@" --expect "$prompt" --send 'net-up 10.0.2.5; echo "<$(cat /sys/class/net/tap0/address)>"\n' --expect '<[0-9a-f:]*>' \
    > "$work/$name" 2> "$work/$name.said" < /dev/null || { cp "$work/$name" "$work/console"; cp "$work/$name.said" "$work/said"; fail "no address in $name"; }
  grep -o '<[0-9a-f:]*>' "$work/$name" | tail -1 > "$work/$name.mac"
}
mac first & one=$!
mac second & two=$!
wait $one && wait $two
[[ -s $work/first.mac ]] || fail "no hardware address"
if cmp -s "$work/first.mac" "$work/second.mac"; then fail "two machines have the address $(<"$work/first.mac")"; fi
mac seed7 --clock cycles --seed 7
mac seed7_again --clock cycles --seed 7
mac seed8 --clock cycles --seed 8
cmp "$work/seed7.mac" "$work/seed7_again.mac" || fail "one seed, two hardware addresses"
if cmp -s "$work/seed7.mac" "$work/seed8.mac"; then fail "two seeds, one hardware address"; fi

# A wrong length costs the frame that it stands before, and no other: one that cannot be, bytes between frames, and one that is too long.
cat > "$work/frames" << 'END'
rest() { printf '\377\377\377\377\377\377\002\000\000\000\000\001\010\006'; head -c 28 /dev/zero; }
frame() { printf '\000\052'; rest; }
(frame; frame; printf '\377\377abc'; frame; printf 'x'; frame; frame) > /tmp/in
tapper -v --tapper-headers /tmp/in /dev/null 2>&1 | grep -v bytes
(frame; printf '\001\000'; rest; frame; frame; sleep 6; frame) | tapper -v --tapper-headers - /dev/null 2>&1 | grep -v bytes
END
guest 0 --clock cycles --clipboard-in "$work/frames" --expect "$prompt" --send 'clip | sh; echo do""ne\n' --expect 'done' --expect "$prompt"
shows 'tapper: 5 frames in, 0 out, 0 refused; 2 times out of step'
shows 'tapper: 4 frames in, 0 out, 0 refused; 1 times out of step'

# Nobody on the line: a random address.
guest 0 --net none --expect "$prompt" --send 'net-up\n' --expect 'nobody answers DHCP' --expect 'tap0: 10\.0\.2\.[0-9]+/24' --expect "$prompt"

if ! command -v socat > /dev/null; then
  echo "skipped: no socat"
  exit 0
fi
port=$((20000 + RANDOM % 20000))
socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr" "TCP-LISTEN:$((port + 1)),bind=127.0.0.1,reuseaddr" 2> /dev/null & wire=$!
server=
trap 'kill $wire $server 2> /dev/null || true; rm -rf -- "$work"' EXIT
# The wire listens for its second end when it has the first.
wait_for() {
  local i
  for ((i = 0; i < 600; i++)); do
    if "$@"; then return 0; fi
    sleep 0.1
  done
  return 1
}
listens() { grep -qi ":$(printf %04x "$1") 00000000:0000 0A" /proc/net/tcp; }
wait_for listens "$port" || fail "the wire has no first end"
dhcp='start 10.0.2.20\\nend 10.0.2.30\\ninterface tap0\\nmax_leases 11\\nopt subnet 255.255.255.0\\nopt router 10.0.2.1\\nopt dns 10.0.2.9\\nlease_file /tmp/leases\\n'
"$program" --timeout 600 --serial2 "tcp:127.0.0.1:$port" --expect "$prompt" \
  --send "net-up 10.0.2.1; : > /tmp/leases; printf '$dhcp' > /tmp/dhcp; udhcpd -f /tmp/dhcp\n" --expect never \
  > "$work/server" 2> "$work/server.said" < /dev/null & server=$!
wait_for grep -q 'udhcpd: started' "$work/server" || fail "the server did not start: $(<"$work/server")"
wait_for listens "$((port + 1))" || fail "the wire has no second end"
# On a busy host the server may be late: then once more.
guest 0 --serial2 "tcp:127.0.0.1:$((port + 1))" --expect "$prompt" \
  --send 'for i in 1 2 3; do net-up | tee /tmp/up; grep -q nobody /tmp/up || break; kill $(cat /run/tapper.pid); sleep 1; done\n' --expect "$prompt" \
  --send 'cat /etc/resolv.conf; ip route; ping -c 2 10.0.2.1\n' \
  --expect '0% packet loss' --expect "$prompt"
grep -qE 'tap0: 10\.0\.2\.(2[0-9]|30)/24' "$work/console" || fail "no address by DHCP"
shows 'nameserver 10.0.2.9'
shows 'default via 10.0.2.1 dev tap0'
shows ' 0% packet loss'
