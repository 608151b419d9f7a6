"""tuxarium-bridge: frames between clients, to the host and back; nothing is left behind."""
import base64
import os
import random
import re
import signal
import subprocess
import time

from bridge_common import *  # pylint: disable=wildcard-import,unused-wildcard-import


def host_answers():
    with Bridge() as bridge, Client("/ethernet") as client:
        gateway = find_gateway(client, mac(1))
        assert gateway == bytes.fromhex("025455580001"), gateway.hex()
        client.send(echo_request(mac(1), gateway, "10.0.2.50", "10.0.2.1"))
        client.frame(is_echo_reply)
        bridge.wait_for("has address 02:00:00:00:00:01")


def two_formats():
    """/tap in binary and in base64, cut anywhere, reaches /ethernet and gets lengths back."""
    seed = int(time.time())
    chance = random.Random(seed)
    print("seed", seed)
    with Bridge("--storm-frames", "0") as bridge, Client("/tap") as old, Client("/ethernet") as other:
        bridge.joined(2)
        other.send(ethernet(BROADCAST, mac(2)))
        wait_until("a frame with its length", lambda: old.receive() == with_length(ethernet(BROADCAST, mac(2))))
        sent = [ethernet(mac(2), mac(1), bytes([number]) * chance.randrange(1400)) for number in range(100)]
        stream = b"".join(with_length(frame) for frame in sent)
        old.send_text("")
        while stream:
            count = chance.randrange(1, 300)
            piece, stream = stream[:count], stream[count:]
            if chance.randrange(2):
                old.send(piece)
            else:
                old.send_text(base64.b64encode(piece).decode())
        for frame in sent:
            assert other.frame(lambda f: f[6:12] == mac(1)) == frame
        other.send(ethernet(mac(1), mac(2), b"back"))
        wait_until("the answer", lambda: old.receive() == with_length(ethernet(mac(1), mac(2), b"back")))


def garbage_then_frames():
    with Bridge() as bridge, Client("/tap") as old, Client("/ethernet") as other:
        bridge.joined(2)
        old.send(b"\xff" * 3000)
        frame = arp_request(mac(1), "10.0.2.50", "10.0.2.51")
        old.send(with_length(frame))
        assert other.frame(lambda f: f[6:12] == mac(1)) == frame


def device_goes_with_client():
    with Bridge("--ping-time", "2") as bridge:
        for end in (Client.close, Client.cut):
            client = Client()
            wait_until("a TAP device", taps)
            end(client)
            wait_until("the device is gone", lambda: not taps())
        silent = Client()  # keeps the connection and answers nothing
        wait_until("a TAP device", taps)
        wait_until("the device is gone", lambda: not taps())
        bridge.wait_for("it answers no ping")
        silent.cut()


def stop_leaves_nothing():
    before = devices()
    bridge = Bridge()
    client = Client()
    wait_until("a TAP device", taps)
    assert "br1" in devices()
    bridge.process.send_signal(signal.SIGTERM)
    assert client.closed().code == 1001
    assert bridge.process.wait(PATIENCE) == 0, bridge.log()
    assert devices() == before, devices()
    assert bridge.says("everything is cleaned up")


def own_bridge_stays():
    ip("link", "add", "br1", "type", "bridge")
    with Bridge() as bridge, Client():
        wait_until("a TAP device", taps)
        assert "10.0.2.1" not in ip("addr", "show", "br1")
        assert bridge.stop() == 0
    assert "br1" in devices() and not taps()
    ip("link", "del", "br1")


def kill_and_restart():
    bridge = Bridge()
    client = Client()
    wait_until("a TAP device", taps)
    bridge.stop(signal.SIGKILL)
    with Bridge() as again:  # waits until the caretaker of the first has cleaned up
        assert "made the bridge" in again.log(), again.log()
        client.closed()
        with Client() as other:
            find_gateway(other, mac(1))
    assert "br1" not in devices()


def nobody_cleans_up():
    """Both processes are killed: the next run takes the bridge over, and removes it at its end."""
    bridge = Bridge()
    caretakers = subprocess.run(["ps", "-o", "pid=", "--ppid", str(bridge.process.pid)], capture_output=True, text=True, check=True).stdout.split()
    assert len(caretakers) == 1, caretakers
    os.kill(int(caretakers[0]), signal.SIGKILL)
    bridge.stop(signal.SIGKILL)
    assert "br1" in devices()
    with Bridge() as again:
        assert again.says("left over"), again.log()
    assert "br1" not in devices()


def stale_tap_goes():
    ip("tuntap", "add", "dev", "websockettunt7", "mode", "tap")
    with Bridge() as bridge:
        assert bridge.says("removed the device websockettunt7"), bridge.log()
        assert not taps()


def second_instance():
    with Bridge():
        second = Bridge("--listen", "127.0.0.1:3001", wait=False)
        assert second.process.wait(PATIENCE) == 1
        assert second.says("another tuxarium-bridge serves br1"), second.log()
    with Bridge(), Bridge("--listen", "127.0.0.1:3001", "--bridge", "br2", "--address", "10.0.3.1/24", "--mac", "02:00:00:00:02:02"):
        assert {"br1", "br2"} <= devices()


def plain_http():
    with Bridge() as bridge:
        assert get("/healthz")[0::2] == (200, "ok\n")
        with Client() as client:
            find_gateway(client, mac(1))
            status, head, body = get("/metrics")
            assert status == 200 and "text/plain; version=0.0.4" in head
            assert "tuxarium_bridge_clients 1\n" in body, body
            assert re.search(r'^tuxarium_bridge_frames_total{direction="up"} [1-9]', body, re.M), body  # it may have asked again
            assert '"mac":"02:00:00:00:00:01"' in get("/status.json")[2]
        assert "Tuxarium bridge" in get("/")[2]
        assert get("/nothing")[0] == 404
        assert get("/tap")[0] == 426
        assert get("/", ["X: " + "x" * 9000])[0] == 431
        with connect() as link:
            link.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
            assert read_answer(link)[0] == 400
        with connect() as link:
            link.sendall(b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            assert read_answer(link)[0] == 405
        slow = connect()
        slow.sendall(b"GET /")
        started = time.monotonic()
        assert slow.recv(10) == b"" and time.monotonic() - started > 5, "ten seconds for a header"
        assert bridge.process.poll() is None


if __name__ == "__main__":
    enter_network_namespace()
    run_cases([host_answers, two_formats, garbage_then_frames, device_goes_with_client, stop_leaves_nothing, own_bridge_stays, kill_and_restart,
               nobody_cleans_up, stale_tap_goes, second_instance, plain_http])
