"""tuxarium-bridge and what is around it: address translation, DHCP, names, VXLAN, Open vSwitch, and the whole of it without root."""
import shutil

from bridge_common import *  # pylint: disable=wildcard-import,unused-wildcard-import


class Namespace:
    """Another network namespace, joined to ours by a cable: ours is 192.0.2.1, the other's is 192.0.2.2."""

    def __enter__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "1000"])
        wait_until("the namespace", lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
        ip("link", "add", "cable0", "type", "veth", "peer", "name", "cable1", "netns", str(self.holder.pid))
        ip("addr", "add", "192.0.2.1/24", "dev", "cable0")
        ip("link", "set", "cable0", "up")
        self.run("ip", "addr", "add", "192.0.2.2/24", "dev", "cable1")
        self.run("ip", "link", "set", "cable1", "up")
        self.run("ip", "link", "set", "lo", "up")
        return self

    def command(self, *words):
        return ["nsenter", "-t", str(self.holder.pid), "-n", *words]

    def run(self, *words):
        return subprocess.run(self.command(*words), check=True, capture_output=True, text=True).stdout

    def __exit__(self, *_):
        subprocess.run(["ip", "link", "del", "cable0"], check=False)
        self.holder.kill()
        self.holder.wait()


def need(*programs):
    """A case whose programs are missing says so and passes: the packages are among those that the tests install."""
    missing = [p for p in programs if not shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
    if missing:
        print("not run, no " + ", ".join(missing))
    return not missing


def udp(source, destination, source_port, destination_port, payload):
    return ipv4(source, destination, 17, struct.pack("!HHHH", source_port, destination_port, 8 + len(payload), 0) + payload)


def udp_payload(frame, port):
    """What a frame carries to that UDP port, or None."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 17 or struct.unpack("!H", frame[36:38])[0] != port:
        return None
    return frame[42:]


def dhcp_offer(client, address):
    request = struct.pack("!BBBBIHH4s4s4s4s16s192s", 1, 1, 6, 0, 0x1234, 0, 0x8000, bytes(4), bytes(4), bytes(4), bytes(4), address + bytes(10), bytes(192))
    request += b"\x63\x82\x53\x63" + bytes([53, 1, 1, 55, 4, 1, 3, 6, 26, 255])
    client.send(ethernet(BROADCAST, address, udp("0.0.0.0", "255.255.255.255", 68, 67, request), 0x800))
    answer = udp_payload(client.frame(lambda f: udp_payload(f, 68) is not None), 68)
    options, rest = {}, answer[240:]
    while rest and rest[0] != 255:
        options[rest[0]], rest = rest[2:2 + rest[1]], rest[2 + rest[1]:]
    return socket.inet_ntoa(answer[16:20]), options


def masquerade():
    if not need("nft"):
        return
    with open("/proc/sys/net/ipv4/ip_forward", "r+", encoding="ascii") as file:
        file.write("0")
    with Namespace() as outside:
        with Bridge("--masquerade") as bridge, Client() as client:
            gateway = find_gateway(client, mac(1))
            # The other end has no route to the guests: an answer comes only to a translated address.
            client.send(echo_request(mac(1), gateway, "10.0.2.50", "192.0.2.2"))
            assert client.frame(is_echo_reply)[26:30] == socket.inet_aton("192.0.2.2")
            outside.run("ip", "route", "add", "10.0.2.0/24", "via", "192.0.2.1")
            outside.run("python3", "-c", "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b'in', ('10.0.2.50', 9))")
            client.no_frame(lambda f: udp_payload(f, 9) is not None)
            client.send(ethernet(gateway, mac(1), udp("10.9.9.9", "192.0.2.2", 9, 9, b"not our network"), 0x800))
            assert bridge.says("nftables table inet tuxarium_br1")
            assert "tuxarium_br1" in subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout
            bridge.stop(signal.SIGKILL)
        wait_until("the rules are gone", lambda: subprocess.run(["nft", "list", "tables"], capture_output=True, check=True).stdout == b"")
        with open("/proc/sys/net/ipv4/ip_forward", encoding="ascii") as file:
            wait_until("forwarding is off again", lambda: (file.seek(0), file.read())[1] == "0\n")


def dhcp_and_dns():
    if not need("dnsmasq"):
        return
    server = ("import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('192.0.2.2', 53))\n"
              "while True:\n"
              "  q, a = s.recvfrom(999)\n"
              "  s.sendto(q[:2] + b'\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0' + q[12:q.index(b'\\0', 12) + 5] + b'\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4\\x08\\x08\\x04\\x04', a)\n")
    with Namespace() as outside:
        names = subprocess.Popen(outside.command("python3", "-c", server))
        try:
            with Bridge("--dhcp", "--dns", "--mtu", "1400", "--dns-server", "192.0.2.2") as bridge, Client() as client:
                address, options = dhcp_offer(client, mac(1))
                assert address.startswith("10.0.2."), address
                assert options[3] == options[6] == socket.inet_aton("10.0.2.1"), options
                assert options[26] == struct.pack("!H", 1400), options
                gateway = find_gateway(client, mac(1), address)
                question = b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + b"\x05guest\x07example\3com\0" + b"\0\1\0\1"

                def ask():
                    client.send(ethernet(gateway, mac(1), udp(address, "10.0.2.1", 5353, 53, question), 0x800))
                    with contextlib.suppress(AssertionError, TimeoutError):
                        return client.frame(lambda f: udp_payload(f, 5353) is not None, 2)

                answer = wait_until("an answer", ask)
                assert b"\x08\x08\x04\x04" in udp_payload(answer, 5353)
                listeners = subprocess.run(["pgrep", "--ns", str(os.getpid()), "--nslist", "net", "dnsmasq"], capture_output=True, text=True, check=False)
                assert listeners.stdout.strip(), "dnsmasq runs"
                bridge.stop(signal.SIGKILL)
            wait_until("dnsmasq is gone", lambda: not subprocess.run(["pgrep", "--ns", str(os.getpid()), "--nslist", "net", "dnsmasq"], capture_output=True, text=True,
                                                                     check=False).stdout.strip())
        finally:
            names.kill()
            names.wait()


def vxlan():
    with Namespace() as other:
        with Bridge("--vxlan", "id=42,local=192.0.2.1,remote=192.0.2.2", "--mtu", "1450") as bridge:
            process = subprocess.Popen(other.command(sys.argv[1], "--vxlan", "id=42,local=192.0.2.2,remote=192.0.2.1", "--mtu", "1450", "--address", "none",
                                                     "--mac", "02:54:55:58:00:02", "--listen", "192.0.2.2:3000", "--token", "secret-0123456789"))
            try:
                def connect_far():
                    with contextlib.suppress(OSError):
                        return Client(host="192.0.2.2", headers=["Authorization: Bearer secret-0123456789"])

                distant = wait_until("the other bridge", connect_far)
                with Client() as near, distant:
                    gateway = find_gateway(distant, mac(2), "10.0.2.51")
                    assert gateway == bytes.fromhex("025455580001")
                    bridge.joined(1)
                    near.send(ethernet(BROADCAST, mac(1)))
                    whole = ethernet(mac(1), mac(2), bytes(range(256)) * 5 + bytes(1450 - 1280))
                    assert len(whole) == 1464
                    distant.send(whole)
                    assert near.frame(lambda f: f[6:12] == mac(2) and f[12:14] == b"\x88\xb5") == whole
                assert "vxbr1" in devices() and bridge.process.poll() is None
            finally:
                process.terminate()
                assert process.wait(PATIENCE) == 0
        assert "vxbr1" not in devices()


def rootless():
    """As root in a user namespace of its own: the same path as for anybody else who may open /dev/net/tun."""
    for uplink in ["none", "slirp4netns"]:
        if uplink != "none" and not need(uplink):
            continue
        before = devices()
        with Bridge("--rootless", uplink) as bridge, Client() as client:
            assert bridge.says("in a user and network namespace of its own")
            find_gateway(client, mac(1))
            assert devices() == before, "nothing is made outside"
            pid = bridge.process.pid
            inside = subprocess.run(["nsenter", "-t", str(pid), "-n", "ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
            assert "br1" in inside and "websockettunt0" in inside
            assert uplink == "none" or "uplink" in inside, inside
            assert bridge.stop() == 0
        wait_until("the uplink is gone", lambda: subprocess.run(["pgrep", "-x", uplink, "-s", "0"], capture_output=True, check=False).returncode != 0)


def rootless_pasta():
    """pasta wants an ordinary user and a way out, neither of which there is here: it must be started and its failure told."""
    if not need("pasta"):
        return
    bridge = Bridge("--rootless", "pasta", wait=False)
    assert bridge.process.wait(PATIENCE) == 1
    assert bridge.says("the uplink pasta did not start; it says why above") and bridge.says("No external routable interface"), bridge.log()


def rootless_with_everything():
    if not need("slirp4netns", "nft", "dnsmasq"):
        return
    with Bridge("--rootless", "slirp4netns", "--masquerade", "--dhcp", "--dns") as bridge, Client() as client:
        address, options = dhcp_offer(client, mac(1))
        assert options[3] == socket.inet_aton("10.0.2.1"), options
        gateway = find_gateway(client, mac(1), address)
        client.send(echo_request(mac(1), gateway, address, "10.0.99.2"))  # slirp4netns itself, beyond the translation
        client.frame(is_echo_reply)
        assert bridge.stop() == 0


def rootless_as_ordinary_user():
    """nobody may make namespaces; where it may not open /dev/net/tun, one sentence says which permission is missing."""
    with tempfile.TemporaryDirectory() as folder:
        program = folder + "/tuxarium-bridge"
        shutil.copy(sys.argv[1], program)
        os.chmod(folder, 0o755)
        bridge = Bridge("--rootless", "none", program=program, wait=False, user="nobody", group="nogroup", extra_groups=[])
        wait_until("it is ready or has ended", lambda: bridge.says("ready:") or bridge.process.poll() is not None)
        if bridge.process.poll() is None:
            with Client() as client:
                find_gateway(client, mac(1))
            assert bridge.stop() == 0
        else:
            said = bridge.log()
            assert "/dev/net/tun: this user may not read and write it" in said or "cannot make a user namespace" in said, said
            print("as an ordinary user:", said.strip().splitlines()[-1])
    without_rights = Bridge(program=sys.argv[1], wait=False, preexec_fn=drop_network_rights)
    assert without_rights.process.wait(PATIENCE) == 1
    assert without_rights.says("Operation not permitted") or without_rights.says("CAP_NET_ADMIN"), without_rights.log()


def ordinary_user_with_open_tun():
    """What a stock Debian allows: everything as an ordinary user, and as root the bridge becomes nobody."""
    if not need("slirp4netns", "nft", "dnsmasq"):
        return
    with tun_open_to_all() as is_open, tempfile.TemporaryDirectory() as folder:
        if not is_open:
            return
        program = folder + "/tuxarium-bridge"
        shutil.copy(sys.argv[1], program)
        os.chmod(folder, 0o755)
        with Bridge("--rootless", "slirp4netns", "--masquerade", "--dhcp", "--dns", program=program, user="nobody", group="nogroup",
                    extra_groups=[]) as bridge, Client() as client:
            address, _ = dhcp_offer(client, mac(1))
            gateway = find_gateway(client, mac(1), address)
            client.send(echo_request(mac(1), gateway, address, "10.0.99.2"))
            client.frame(is_echo_reply)
            assert bridge.stop() == 0
        with Bridge() as bridge, Client() as client:
            find_gateway(client, mac(1))
            assert bridge.says("running as the user nobody with CAP_NET_ADMIN alone")
            with open(f"/proc/{bridge.process.pid}/status", encoding="ascii") as file:
                status = file.read()
            assert "Uid:\t65534\t65534\t65534\t65534" in status and re.search(r"CapEff:\s+0*1000\n", status), status
            assert bridge.stop() == 0
        assert "br1" not in devices()


def pasta_as_ordinary_user():
    """nobody, with pasta as the way out: a guest's datagram comes to another host and its answer comes back."""
    if not need("pasta", "nft"):
        return
    echo = ("import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('192.0.2.2', 7))\n"
            "while True: s.sendto(*s.recvfrom(999))")
    with tun_open_to_all() as is_open, Namespace() as outside, tempfile.TemporaryDirectory() as folder:
        if not is_open:
            return
        ip("route", "add", "default", "via", "192.0.2.2")
        program = folder + "/tuxarium-bridge"
        shutil.copy(sys.argv[1], program)
        os.chmod(folder, 0o755)
        server = subprocess.Popen(outside.command("python3", "-c", echo))
        try:
            with Bridge("--rootless", "pasta", "--masquerade", program=program, user="nobody", group="nogroup", extra_groups=[]) as bridge, Client() as client:
                gateway = find_gateway(client, mac(1))

                def ask():
                    client.send(ethernet(gateway, mac(1), udp("10.0.2.50", "192.0.2.2", 5000, 7, b"and back"), 0x800))
                    with contextlib.suppress(AssertionError, TimeoutError):
                        return client.frame(lambda f: udp_payload(f, 5000) is not None, 2)

                assert udp_payload(wait_until("an answer", ask), 5000).startswith(b"and back"), bridge.log()
                assert bridge.stop() == 0
        finally:
            server.kill()
            server.wait()
            ip("route", "del", "default")


def drop_network_rights():
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(24, 12, 0, 0, 0)  # PR_CAPBSET_DROP, CAP_NET_ADMIN: the program that is executed next lacks it


def open_vswitch():
    """With Open vSwitch's own daemons, their files in a folder of the test's, and the datapath in user space."""
    if not need("ovsdb-server", "ovs-vswitchd", "ovs-vsctl", "ovsdb-tool"):
        return
    with tempfile.TemporaryDirectory() as folder:
        schema = "/usr/share/openvswitch/vswitch.ovsschema"
        environment = dict(os.environ, OVS_RUNDIR=folder, OVS_DBDIR=folder, OVS_LOGDIR=folder)
        subprocess.run(["ovsdb-tool", "create", f"{folder}/conf.db", schema], check=True, env=environment)
        daemons = [subprocess.Popen(["ovsdb-server", f"{folder}/conf.db", f"--remote=punix:{folder}/db.sock"], env=environment, stderr=subprocess.DEVNULL)]
        try:
            wait_until("ovsdb-server", lambda: os.path.exists(f"{folder}/db.sock"))
            subprocess.run(["ovs-vsctl", "--no-wait", "init"], check=True, env=environment)
            daemons.append(subprocess.Popen(["ovs-vswitchd", f"unix:{folder}/db.sock"], env=environment, stderr=subprocess.DEVNULL))

            def ports():
                return subprocess.run(["ovs-vsctl", "list-ports", "br1"], capture_output=True, text=True, check=False, env=environment).stdout.split()

            with Bridge("--bridge-type", "ovs", "--ovs-datapath", "netdev", env=environment) as bridge:
                with Client() as one, Client() as two:
                    bridge.joined(2)
                    assert len(ports()) == 2, ports()
                    find_gateway(one, mac(1))
                    one.send(ethernet(BROADCAST, mac(1), b"hello"))
                    two.frame(lambda f: f[6:12] == mac(1))
                wait_until("no ports", lambda: not ports())
                assert bridge.stop() == 0, bridge.log()
            assert "br1" not in devices()
        finally:
            for daemon in reversed(daemons):
                daemon.kill()
                daemon.wait()


def status_page():
    """In a browser: the page's own script fills the table, and something is drawn."""
    if not need("chromium"):
        return
    with Bridge(), Client() as client, tempfile.TemporaryDirectory() as folder:
        find_gateway(client, mac(1))
        browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--virtual-time-budget=5000", "--window-size=1100,400",
                   f"--user-data-dir={folder}/profile"]
        url = f"http://127.0.0.1:{PORT}/"
        for _ in range(3):  # a busy host
            page = subprocess.run([*browser, "--dump-dom", url], capture_output=True, text=True, timeout=300, check=False).stdout
            if "02:00:00:00:00:01" in page:
                break
        if not page:
            print("not run, chromium does not work here")
            return
        assert "02:00:00:00:00:01" in page and "websockettunt0" in page and "1 of 250 clients" in page, page
        picture = folder + "/page.png"
        subprocess.run([*browser, "--screenshot=" + picture, url], capture_output=True, timeout=300, check=False)
        if shutil.which("convert") and os.path.exists(picture):
            colours = subprocess.run(["convert", picture, "-format", "%k", "info:"], capture_output=True, text=True, check=True).stdout
            assert int(colours) > 10, "the page is blank"


if __name__ == "__main__":
    enter_network_namespace()
    run_cases([status_page, masquerade, dhcp_and_dns, vxlan, rootless, rootless_pasta, rootless_with_everything, rootless_as_ordinary_user,
               ordinary_user_with_open_tun, pasta_as_ordinary_user, open_vswitch])
