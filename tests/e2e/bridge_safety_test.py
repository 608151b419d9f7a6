"""tuxarium-bridge and clients that are wrong, hostile or just unlucky: they cost nobody else anything, and leave nothing behind."""
import random
import threading
import warnings

from bridge_common import *  # pylint: disable=wildcard-import,unused-wildcard-import

SECRET = "secret-0123456789"


def resident(bridge):
    """KiB of memory."""
    with open(f"/proc/{bridge.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


def refused(status, *args, **named):
    try:
        Client(*args, **named).close()
    except Refused as answer:
        assert answer.status == status, answer
        return answer
    raise AssertionError("was let in")


def tokens():
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(f"# two people\nalice {SECRET}\nbob bob-0123456789abc\n")
        file.flush()
        with Bridge("--token-file", file.name) as bridge:
            refused(401)
            refused(401, headers=["Authorization: Bearer wrong-0123456789"])
            refused(401, headers=[f"Authorization: Bearer {SECRET}x"])
            refused(401, headers=["Sec-WebSocket-Protocol: tuxarium, bearer.wrong-0123456789"])
            assert get("/metrics")[0] == 401 and get("/healthz")[0] == 200
            assert get("/metrics", [f"Authorization: Bearer {SECRET}"])[0] == 200
            with Client(headers=["Authorization: Bearer bob-0123456789abc"]):
                bridge.wait_for("token bob")
            with Client(headers=[f"Sec-WebSocket-Protocol: tuxarium, bearer.{SECRET}"]) as client:
                assert "\r\nSec-WebSocket-Protocol: tuxarium\r\n" in client.head + "\r\n", client.head
                bridge.wait_for("token alice")
            assert SECRET not in bridge.log()


def origins():
    with Bridge("--origin", "https://friend.example"):
        refused(403, headers=["Origin: https://evil.example"])
        refused(403, headers=["Origin: null"])
        Client(headers=["Origin: https://friend.example"]).close()
        Client(headers=[f"Origin: http://127.0.0.1:{PORT}"]).close()


def no_listening_for_everybody():
    bridge = Bridge("--listen", "0.0.0.0:3000", wait=False)
    assert bridge.process.wait(PATIENCE) == 2 and bridge.says("--allow-anyone-without-token"), bridge.log()
    with Bridge("--listen", "0.0.0.0:3000", "--allow-anyone-without-token"):
        Client().close()


def tls():
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = f"{folder}/key.pem", f"{folder}/certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", certificate,
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"], check=True, capture_output=True)
        with Bridge("--tls-cert", certificate, "--tls-key", key, "--token", SECRET) as bridge:
            trusting = ssl.create_default_context(cafile=certificate)
            headers = [f"Authorization: Bearer {SECRET}"]
            with Client(tls=trusting, headers=headers) as client:
                find_gateway(client, mac(1))
            refused(401, tls=trusting)
            assert get("/healthz", tls=trusting)[0] == 200
            try:
                Client(tls=ssl.create_default_context(), headers=headers)
                raise AssertionError("an unknown certificate was accepted")
            except ssl.SSLCertVerificationError:
                pass
            try:
                Client(headers=headers)  # plain, where TLS is spoken
                raise AssertionError("plain HTTP was answered")
            except (Closed, ConnectionError):
                pass
            old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
            with contextlib.suppress(ValueError), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                old.maximum_version = ssl.TLSVersion.TLSv1_1
            try:
                connect(old)
                raise AssertionError("TLS 1.1 was spoken")
            except (ssl.SSLError, ConnectionError):
                pass
            with Client(tls=trusting, headers=headers):
                assert bridge.process.poll() is None
        wrong = Bridge("--tls-cert", key, "--tls-key", key, wait=False)
        assert wrong.process.wait(PATIENCE) == 2 and wrong.says("certificate in PEM form"), wrong.log()


def spoofed_address():
    with Bridge() as bridge, Client() as victim, Client() as thief:
        gateway = find_gateway(victim, mac(1))
        thief.send(ethernet(BROADCAST, mac(2)))
        thief.send(ethernet(BROADCAST, mac(1), b"stolen"))
        thief.send(ethernet(BROADCAST, gateway, b"stolen"))
        thief.send(b"\x01\x80\xc2\0\0\0" + mac(2) + bytes(50))
        victim.send(echo_request(mac(1), gateway, "10.0.2.50", "10.0.2.1"))
        victim.frame(is_echo_reply)
        body = wait_until("all are counted", lambda: (lambda b: b if 'reason="link_local"} 1' in b else None)(get("/metrics")[2]))
        assert 'reason="spoofed"} 1' in body and 'reason="taken"} 1' in body, body
        bridge.wait_for("dropped as spoofed")


def address_of_a_dead_client():
    """A client that is gone without a word does not keep its address from its successor for long."""
    with Bridge("--ping-time", "600") as bridge:
        dead = Client()
        find_gateway(dead, mac(1))  # and from now on it answers nothing
        with Client() as successor:
            def asks():
                successor.send(arp_request(mac(1), "10.0.2.50", "10.0.2.1"))
                with contextlib.suppress(AssertionError, TimeoutError):
                    return successor.frame(is_arp_reply, 0.3)
            wait_until("the successor is answered", asks)
            bridge.wait_for("answers no ping, is cut off")
        dead.cut()


def wrong_messages():
    with Bridge("--ping-time", "600") as bridge, Client() as neighbour:
        gateway = find_gateway(neighbour, mac(1))
        for path, payload, opcode, code in [("/ethernet", b"hello", 1, 1003), ("/tap", b"not base64!", 1, 1007), ("/ethernet", bytes(2000), 2, 1009),
                                            ("/tap", bytes(70000), 2, 1009), ("/tap", b"\xff\xfe", 1, 1007)]:
            client = Client(path)
            client.send(payload, opcode)
            end = client.closed()
            assert end.code == code, (path, payload[:10], end)
        raw = Client()
        raw.link.sendall(b"\xff" * 20)  # reserved bits
        assert raw.closed().code in (1002, None)
        unmasked = Client()
        unmasked.link.sendall(b"\x82\x01x")
        assert unmasked.closed().code in (1002, None)
        neighbour.send(echo_request(mac(1), gateway, "10.0.2.50", "10.0.2.1"))
        neighbour.frame(is_echo_reply)
        assert bridge.process.poll() is None
        wait_until("only the neighbour's device is left", lambda: len(taps()) == 1)


def isolated():
    with Bridge("--isolate") as bridge, Client() as one, Client() as two:
        bridge.joined(2)
        gateway = find_gateway(one, mac(1))
        find_gateway(two, mac(2), "10.0.2.51")
        one.send(ethernet(BROADCAST, mac(1), b"to everybody"))
        one.send(ethernet(mac(2), mac(1), b"to two"))
        two.no_frame(lambda f: f[6:12] == mac(1))
        one.send(echo_request(mac(1), gateway, "10.0.2.50", "10.0.2.1"))
        one.frame(is_echo_reply)


def storm():
    with Bridge("--storm-frames", "10") as bridge, Client() as noisy, Client() as quiet:
        gateway = find_gateway(quiet, mac(2))
        for _ in range(500):
            noisy.send(ethernet(BROADCAST, mac(1), b"noise"))
        wait_until("the storm is cut", lambda: re.search(r'reason="storm"} (4[0-9]{2})', get("/metrics")[2]))
        quiet.send(echo_request(mac(2), gateway, "10.0.2.50", "10.0.2.1"))
        quiet.frame(is_echo_reply)
        assert bridge.process.poll() is None


def ping_until_answered(client, gateway, number):
    """A busy wire may lose a frame, on a host without a free processor; it may not go on losing them. Each try shows the gateway who asks:
    it forgets a neighbour that answers none of its own questions, as this client does, within seconds."""
    for _ in range(20):
        client.send(arp_request(mac(2), "10.0.2.50", "10.0.2.1"))
        client.send(echo_request(mac(2), gateway, "10.0.2.50", "10.0.2.1", number))
        with contextlib.suppress(AssertionError, TimeoutError):
            return client.frame(is_echo_reply, 2)
    raise AssertionError(f"ping {number} has no answer after twenty tries")


def flood():
    """One client sends as much as it can; another still has its answers, and the flood's rate is the limit."""
    with Bridge("--client-frames", "500") as bridge, Client("/tap") as hostile, Client() as other:
        gateway = find_gateway(other, mac(2))
        over = threading.Event()

        def pour():
            batch = with_length(ethernet(mac(9), mac(1), bytes(100))) * 400
            with contextlib.suppress(OSError):
                while not over.is_set():
                    hostile.send(batch)

        thread = threading.Thread(target=pour)
        started = time.monotonic()
        thread.start()
        for number in range(50):
            ping_until_answered(other, gateway, number)
            time.sleep(0.02)
        frames = int(re.search(r'client="1".*direction="up"} (\d+)', get("/metrics")[2]).group(1))
        elapsed = time.monotonic() - started
        over.set()
        hostile.link.shutdown(socket.SHUT_RDWR)
        thread.join()
        assert frames < 500 * (elapsed + 1) + 1000, (frames, elapsed)
        assert bridge.process.poll() is None


def missed():
    """Frames to clients that their devices dropped."""
    return int(re.search(r"bridge_missed_frames_total (\d+)", get("/metrics")[2]).group(1))


def reader_that_never_reads():
    with Bridge("--slow-time", "3") as bridge, Client(receive_buffer=4096) as deaf, Client() as talker, Client() as third:
        bridge.joined(3)
        deaf.send(ethernet(BROADCAST, mac(1)))
        gateway = find_gateway(third, mac(3))
        talker.send(ethernet(BROADCAST, mac(2)))
        before = resident(bridge)
        for _ in range(2000):
            talker.send(ethernet(mac(1), mac(2), bytes(1400)))
        third.send(echo_request(mac(3), gateway, "10.0.2.50", "10.0.2.1"))
        third.frame(is_echo_reply)
        wait_until("what it misses is counted", lambda: missed() > 100)
        # Three megabytes were sent to somebody who takes nothing: they are not in the bridge's memory.
        assert resident(bridge) < before + 1500, (before, resident(bridge))
        bridge.wait_for("takes no frames, is cut off")
        wait_until("its device is gone", lambda: len(taps()) == 2)
        assert missed() <= 2000


def slow_headers():
    """Connections that never send their header do not keep others out."""
    with Bridge() as bridge:
        silent = [connect() for _ in range(200)]
        with Client() as client:
            find_gateway(client, mac(1))
        for link in silent:
            link.close()
        assert bridge.process.poll() is None


def random_bytes():
    """Requests and websocket frames with bytes left to chance, whole and cut: connections end, the bridge does not."""
    seed = int(os.environ.get("TUXARIUM_SEED", time.time_ns()))
    rounds = int(os.environ.get("TUXARIUM_ROUNDS", "300"))
    chance = random.Random(seed)
    print("seed", seed)

    def spoilt(text):
        bytes_ = bytearray(text)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(bytes_) + 1)
            kind = chance.randrange(3)
            if kind == 0 and bytes_:
                bytes_[min(at, len(bytes_) - 1)] = chance.randrange(256)
            elif kind == 1:
                bytes_[at:at] = chance.randbytes(chance.randrange(1, 40))
            else:
                del bytes_[at:at + chance.randrange(1, 40)]
        return bytes(bytes_)

    request = (f"GET /tap HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n").encode()

    def talk(link):
        if chance.randrange(3) == 0:
            link.sendall(spoilt(request))
            return
        link.sendall(request)
        for _ in range(chance.randrange(1, 8)):
            kind = chance.randrange(4)
            if kind == 0:
                link.sendall(chance.randbytes(chance.randrange(1, 3000)))
            else:
                opcode = chance.choice([0, 1, 2, 8, 9, 10, 3, 15])
                whole = Client.message(chance.randbytes(chance.randrange(200)), opcode)
                link.sendall(whole if kind == 1 else spoilt(whole))

    with Bridge("--ping-time", "600") as bridge:
        with Client() as client:
            find_gateway(client, mac(1))
        before = resident(bridge)
        for _ in range(rounds):
            with connect() as link, contextlib.suppress(OSError):
                talk(link)
                link.settimeout(chance.choice([0.001, 0.02]))
                link.recv(chance.randrange(1, 200))
        wait_until("all devices are gone", lambda: not taps())
        with Client() as client:
            find_gateway(client, mac(1))
        assert resident(bridge) < before + 4000, (before, resident(bridge))
        assert bridge.stop() == 0


def too_many():
    with Bridge("--max-clients", "3"):
        clients = [Client() for _ in range(3)]
        refused(503)
        clients.pop().close()
        wait_until("a place is free", lambda: len(taps()) == 2)
        Client().close()
        for client in clients:
            client.close()


def churn():
    """200 clients come, talk, and go in every way there is; descriptors, devices and memory are as before."""
    seed = int(time.time())
    chance = random.Random(seed)
    print("seed", seed)
    clients_at_once = int(os.environ.get("TUXARIUM_BRIDGE_CLIENTS", "200"))
    with Bridge("--max-clients", str(clients_at_once + 10), "--ping-time", "600") as bridge:
        folder = f"/proc/{bridge.process.pid}"

        def descriptors():
            return len(os.listdir(folder + "/fd"))

        def one_round():
            clients = []
            for number in range(clients_at_once):
                path = chance.choice(["/tap", "/ethernet"])
                client = Client(path)
                frame = ethernet(mac(999), mac(number), bytes(100))
                client.send(frame if path == "/ethernet" else with_length(frame) + b"\xff" * chance.randrange(500))
                clients.append(client)
            wait_until("a device for each", lambda: len(taps()) == clients_at_once, 300)
            chance.shuffle(clients)
            for client in clients:
                chance.choice([Client.close, Client.cut, lambda c: c.link.close()])(client)
            wait_until("all devices are gone", lambda: not taps(), 300)

        one_round()
        before = descriptors(), resident(bridge)
        for _ in range(2):
            one_round()
        wait_until("the descriptors are gone", lambda: descriptors() <= before[0])
        print("resident", before[1], "->", resident(bridge), "KiB")
        assert resident(bridge) < before[1] + 2000, "memory grows"
        assert bridge.stop() == 0


def privileges():
    with Bridge() as bridge, Client() as client:
        find_gateway(client, mac(1))
        with open(f"/proc/{bridge.process.pid}/status", encoding="ascii") as file:
            status = file.read()
        for kind in ("Prm", "Eff", "Bnd"):
            assert re.search(rf"Cap{kind}:\s+0*1000\n", status), status  # bit 12: CAP_NET_ADMIN
        assert re.search(r"NoNewPrivs:\s+1", status)
        # Every thread, not only the first.
        for thread in os.listdir(f"/proc/{bridge.process.pid}/task"):
            with open(f"/proc/{bridge.process.pid}/task/{thread}/status", encoding="ascii") as file:
                assert re.search(r"CapEff:\s+0*1000\n", file.read())


if __name__ == "__main__":
    enter_network_namespace()
    run_cases([tokens, origins, no_listening_for_everybody, tls, spoofed_address, address_of_a_dead_client, wrong_messages, isolated, storm, flood,
               reader_that_never_reads, slow_headers, random_bytes, too_many, churn, privileges])
