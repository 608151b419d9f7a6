# The network without a server: DHCP, the gateway, a name server and a web server of the host, port forwards into the guest, and the loopback
# closed by default. In a network namespace with nothing but a loopback, and with a name server of its own in /etc/resolv.conf.
if [[ -z ${TUXARIUM_TEST_NAMESPACE:-} ]]; then
  for flags in -mn -rmn; do
    if unshare $flags true 2> /dev/null; then TUXARIUM_TEST_NAMESPACE=1 exec unshare $flags bash "$0" "$@"; fi
  done
  echo "skipped: no network namespaces"
  exit 0
fi
. "$(dirname "$0")/common.sh"

status=0
"$program" --boot default --net user --max-cycles 1000 > "$work/console" 2> "$work/said" < /dev/null || status=$?
if grep -q "built without" "$work/said"; then echo "skipped: $(< "$work/said")"; exit 0; fi

mkdir "$work/www"
head -c 200000 /dev/urandom > "$work/www/file"
sum=$(md5sum < "$work/www/file" | cut -c 1-32)
echo 'nameserver 127.0.0.1' > "$work/resolv.conf"
mount --bind "$work/resolv.conf" /etc/resolv.conf
ip link set lo up

# The host: a web server at port 8080, a name server that says 192.0.2.99 to everything, and a client that talks through the forward to the
# guest as soon as it answers there.
cat > "$work/host.py" << 'EOF'
import functools, http.server, socket, sys, threading, time
work = sys.argv[1]

def names():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 53))
    while True:
        query, peer = s.recvfrom(512)
        end = query.index(0, 12) + 5
        is_a = query[end - 4:end - 2] == b"\0\1"
        answer = query[:2] + b"\x81\x80\0\1" + (b"\0\1" if is_a else b"\0\0") + b"\0\0\0\0" + query[12:end]
        if is_a:
            answer += b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + bytes([192, 0, 2, 99])
        s.sendto(answer, peer)

def tcp_client():
    while True:
        try:
            with socket.create_connection(("127.0.0.1", 2222), 60) as s:
                s.sendall(b"knock from the host\n")
                if s.recv(100).startswith(b"hello from the guest"):
                    return
        except OSError:
            pass
        time.sleep(0.2)

handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=work + "/www")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8080), handler)
for task in (names, tcp_client):
    threading.Thread(target=task, daemon=True).start()
open(work + "/ready", "w")
server.serve_forever()
EOF
python3 "$work/host.py" "$work" 2> "$work/host.log" &
server=$!
trap 'kill $server 2> /dev/null || true; umount /etc/resolv.conf; rm -rf -- "$work"' EXIT
for ((i = 0; i < 600; i++)); do
  [[ -e $work/ready ]] && break
  sleep 0.1
done

prompt='/root # $'
up=(--expect "$prompt" --send 'net-up\n' --expect 'tap0: 10\.0\.2\.15/24' --expect "$prompt")
guest 0 --net user,host-loopback --forward tcp:127.0.0.1:2222:22 "${up[@]}" \
  --send 'ping -c 1 10.0.2.2\n' --expect '1 packets received' --expect "$prompt" \
  --send 'ping -c 3 -s 20000 10.0.2.2\n' --expect '3 packets received' --expect "$prompt" \
  --send 'wget -q -O - http://10.0.2.2:8080/file | md5sum\n' --expect "$sum" --expect "$prompt" \
  --send 'nslookup some.name.test\n' --expect '192\.0\.2\.99' --expect "$prompt" \
  --send 'echo hello from the guest | nc -l -p 22\n' --expect 'knock from the host' --expect "$prompt" \
  --send 'poweroff\n' --expect 'Power down'

# The default, with the same servers: a name, but no way to the loopback, also not when datagrams are forwarded.
for forward in "" udp:5555:4444; do
  guest 0 ${forward:+--forward $forward} "${up[@]}" --send 'nslookup some.name.test\n' --expect '192\.0\.2\.99' --expect "$prompt" \
    --send 'wget -T 5 -O - http://10.0.2.2:8080/file | wc -c\n' --expect '^0' --expect "$prompt"
done

# A port that is taken is one sentence, and nothing is started.
guest 2 --forward tcp:127.0.0.1:8080:80
[[ $(wc -l < "$work/said") == 1 ]] && grep -q 'tcp 127.0.0.1:8080 .*Address already in use' "$work/said" || fail "no sentence about the port"
