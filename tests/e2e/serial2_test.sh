# The guest's second serial port: bytes out to a file with none lost at close, frames in over TCP that never reach the guest in pieces, and a
# pseudo terminal.
. "$(dirname "$0")/common.sh"
need "$tap"

# The last bytes before a close are not lost.
guest 0 --boot "jslinux:$tap" --serial2 "file:$work/out" --expect "$tap_prompt" \
  --send 'stty raw < /dev/ttyS1; head -c 1000 /dev/zero > /dev/ttyS1; echo "do""ne"\n' --expect 'done' --expect "$tap_prompt"
[[ $(stat -c %s "$work/out") == 1000 ]] || fail "$(stat -c %s "$work/out") of 1000 bytes came out of ttyS1"

if ! command -v socat > /dev/null; then
  echo "skipped: no socat"
  exit 0
fi

# A reader like the old tapper: one read for the length, one for the frame, and no second try. Init runs the clipboard's script at boot.
frames=60
cat > "$work/script" << END
cat > /var/root/reader.c << 'EOF'
#include <stdio.h>
#include <fcntl.h>
#include <unistd.h>
int main(void)
{
    unsigned char head[2], frame[4000];
    int port = open("/dev/ttyS1", O_RDWR), count = 0;
    write(port, "R", 1);
    while (count < $frames) {
        int length, got = read(port, head, 2);
        if (got != 2) { printf("split header %d after %d\n", got, count); return 1; }
        length = head[0] << 8 | head[1];
        got = read(port, frame, length);
        if (got != length) { printf("frame %d: %d of %d\n", count, got, length); return 1; }
        count++;
    }
    printf("%d whole %s\n", count, "frames");
    return 0;
}
EOF
END
for ((i = 0; i < frames; i++)); do
  # Mostly the longest frames, some short ones.
  length=$((i % 4 == 3 ? 60 : 1442))
  printf '%b' "\\x$(printf %02x $((length >> 8)))\\x$(printf %02x $((length & 255)))"
  head -c "$length" /dev/urandom
done > "$work/frames"

port=$((20000 + RANDOM % 20000))
socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr" "SYSTEM:head -c 1 > /dev/null; cat '$work/frames'; sleep 60" &
server=$!
trap 'kill $server 2> /dev/null || true; rm -rf -- "$work"' EXIT
for ((i = 0; i < 50; i++)); do
  # Listening when the port is in the table of sockets in state 0A.
  grep -qi ":$(printf %04x "$port") 00000000:0000 0A" /proc/net/tcp && break
  sleep 0.1
done
guest 0 --boot "jslinux:$tap" --serial2 "tcp:127.0.0.1:$port" --clipboard-in "$work/script" --expect "$tap_prompt" \
  --send 'stty raw < /dev/ttyS1; tcc -o reader reader.c && ./reader\n' --expect 'whole frames|split|of \d+' --expect "$tap_prompt"
shows "$frames whole frames"

# A pseudo terminal, both ways. The guest sleeps before the program ends: what nobody has read from a pseudo terminal goes with it.
"$program" --boot "jslinux:$tap" --serial2 pty --timeout 100 --expect "$tap_prompt" \
  --send '(echo ready; read line; echo "got $line") < /dev/ttyS1 > /dev/ttyS1; sleep 5; echo "reader ""ended"\n' --expect 'reader ended' \
  > "$work/console" 2> "$work/said" < /dev/null &
guest=$!
slave=
for ((i = 0; i < 100 && ${#slave} == 0; i++)); do
  sleep 0.1
  slave=$(grep -o '/dev/pts/[0-9]*' "$work/said" | head -1) || true
done
[[ -n $slave ]] || fail "the name of the pseudo terminal was not told"
exec 3<> "$slave"
timeout 60 grep -m 1 -q ready <&3 || fail "the guest's end of the pseudo terminal did not open"
printf 'hello from the host\n' >&3
timeout 60 grep -m 1 -q 'got hello from the host' <&3 || fail "no answer on the pseudo terminal"
exec 3>&-
wait "$guest" || fail "the status is $?"
