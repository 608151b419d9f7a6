"""Guests on one bridge: new and old ones reach each other and the host, transfers survive the bridge, nothing is left of who goes.

Run as `python3 net_guests_test.py TUXARIUM_RUN SOURCE_ROOT TUXARIUM_BRIDGE [CASE...]`; needs root for a network namespace of its own.
"""
import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

program, source_root, bridge_program = sys.argv[1:4]
sys.argv[1:4] = [bridge_program]

from bridge_common import Bridge, checksum, enter_network_namespace, ip, run_cases, skip, taps, wait_until  # pylint: disable=wrong-import-position

LONG = 600  # seconds, for what a guest does in a few on a machine with nothing else to do
URL = "ws://127.0.0.1:3000/tap"
OLD_SYSTEM = os.path.join(source_root, "..", "shared", "jslinux-tap")


class Guest:
    """A machine whose console this test types at."""

    def __init__(self, *options, prompt="/root # ", url=URL):
        self.prompt = prompt
        self.console = tempfile.NamedTemporaryFile(prefix="guest-console-")
        self.said = tempfile.NamedTemporaryFile(prefix="guest-said-")
        self.commands = 0
        self.process = subprocess.Popen([program, "--timeout", "3000", "--net", url, "--stats", "json", *options], stdin=subprocess.PIPE,
                                        stdout=self.console, stderr=self.said)

    def text(self):
        with open(self.console.name, errors="replace") as file:
            return file.read().replace("\r", "")

    def messages(self):
        with open(self.said.name, errors="replace") as file:
            return file.read()

    def wait_for(self, expression, patience=LONG):
        """The match; fails with the end of the console."""
        def found():
            assert self.process.poll() is None or re.search(expression, self.text()), f"the guest ended: {self.messages()}\n{self.text()[-1000:]}"
            return re.search(expression, self.text())
        try:
            return wait_until(f"the console shows {expression}", found, patience)
        except AssertionError as problem:
            raise AssertionError(f"{problem}\n--- the end of the console\n{self.text()[-1500:]}\n--- messages\n{self.messages()}") from None

    def boot(self):
        self.wait_for(re.escape(self.prompt))
        return self

    def start(self, command):
        """Types a command; what to pass to result()."""
        self.commands += 1
        self.process.stdin.write(f'{command}; echo "<$?:"{self.commands}">"\n'.encode())
        self.process.stdin.flush()
        return self.commands

    def result(self, number, patience=LONG):
        """The status of a command, when it is done."""
        return int(self.wait_for(rf"<(\d+):{number}>", patience)[1])

    def run(self, command, status=0, patience=LONG):
        """What a command printed; fails when its status is not `status`."""
        before = len(self.text())
        got = self.result(self.start(command), patience)
        assert got == status, f"status {got} of: {command}\n{self.text()[-1500:]}"
        return self.text()[before:]

    def ping(self, address, count=3):
        output = self.run(f"ping -c {count} {address}")
        assert re.search(rf"{count} packets transmitted, {count} packets received", output), output

    def end(self, number=signal.SIGTERM):
        """The figures of --stats."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(60)
        lines = [line for line in self.messages().splitlines() if line.startswith("{")]
        return json.loads(lines[-1]) if lines else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()


@contextlib.contextmanager
def two_guests():
    """10.0.2.20 and 10.0.2.30."""
    with Guest() as one, Guest() as two:
        for guest, address in ((one, "10.0.2.20"), (two, "10.0.2.30")):
            guest.boot().run(f"net-up {address}")
        yield one, two


@contextlib.contextmanager
def two_guests_on_a_bridge():
    with Bridge() as bridge, two_guests() as (one, two):
        yield bridge, one, two


def serve(guest, kilobytes):
    """Makes the guest a web server with one file; its checksum."""
    output = guest.run(f"mkdir -p /tmp/www; dd if=/dev/urandom of=/tmp/www/file bs=1024 count={kilobytes} 2>/dev/null; "
                       "killall httpd 2>/dev/null; httpd -h /tmp/www; md5sum /tmp/www/file")
    return re.search(r"\b[0-9a-f]{32}\b", output)[0]


def bytes_to_guests():
    """Over all TAP devices, so far."""
    return sum(device["stats64"]["tx"]["bytes"] for device in json.loads(ip("-j", "-s", "link")) if device["ifname"] in taps())


def new_guests_reach_each_other_and_the_host():
    with two_guests_on_a_bridge() as (_, one, two):
        assert len(taps()) == 2, taps()
        for guest, other in ((one, "10.0.2.30"), (two, "10.0.2.20")):
            guest.ping(other)
            guest.ping("10.0.2.1")
        for server, address, client in ((one, "10.0.2.20", two), (two, "10.0.2.30", one)):
            wanted = serve(server, 300)
            assert wanted in client.run(f"wget -q -O - http://{address}/file | md5sum")
        figures = one.end()
        assert figures["network_connections"] == 1 and figures["network_frames_sent"] > 300, figures
        wait_until("the TAP goes with its guest", lambda: len(taps()) == 1)
        two.end(signal.SIGKILL)
        wait_until("the TAP goes with its killed guest", lambda: not taps())


def a_transfer_survives_the_bridge():
    with two_guests_on_a_bridge() as (bridge, one, two):
        wanted = serve(one, 3000)
        transfer = two.start("wget -q -O /tmp/got http://10.0.2.20/file")
        wait_until("a part of the file has passed", lambda: bytes_to_guests() > 600_000, LONG)
        bridge.stop(signal.SIGKILL)
        assert not re.search(rf"<\d+:{transfer}>", two.text()), "the transfer was too quick for this test"
        wait_until("the first guest notices", lambda: "no network: " in one.messages())
        with Bridge(program=bridge_program):
            assert two.result(transfer) == 0
            assert wanted in two.run("md5sum /tmp/got")
            for guest in (one, two):
                figures = guest.end()
                assert figures["network_connections"] >= 2, figures
                assert "the network is up again" in guest.messages(), guest.messages()


def ping_at_once(address, count, size):
    """Sends `count` echo requests back to back from the host; how many are answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        identity = os.getpid() & 0xffff
        for number in range(count):
            body = struct.pack("!BBHHH", 8, 0, 0, identity, number) + bytes(size)
            link.sendto(body[:2] + struct.pack("!H", checksum(body)) + body[4:], (address, 0))
        answered = set()
        until = time.monotonic() + 30
        while len(answered) < count and time.monotonic() < until:
            link.settimeout(max(0.01, until - time.monotonic()))
            try:
                packet, sender = link.recvfrom(4096)
            except TimeoutError:
                break
            if sender[0] == address and packet[20] == 0 and struct.unpack("!H", packet[24:26])[0] == identity:
                answered.add(struct.unpack("!H", packet[26:28])[0])
        return len(answered)


def old_and_new_guests_reach_each_other():
    with tempfile.NamedTemporaryFile() as script, Bridge():
        subprocess.run(["bash", os.path.join(source_root, "hao", "guest_tools", "old-guest-net-up")], stdout=script, check=True)
        with Guest("--boot", f"jslinux:{OLD_SYSTEM}", "--clipboard-in", script.name, prompt="/var/root # ") as old, Guest() as new:
            new.boot().run("net-up 10.0.2.30")
            old.boot().run("ifconfig tap0 10.0.2.77")
            for guest, other in ((new, "10.0.2.77"), (old, "10.0.2.30"), (old, "10.0.2.1")):
                guest.ping(other)
            wanted = serve(new, 200)
            assert wanted in old.run("wget -O - http://10.0.2.30/file | md5sum")
            # The original answers 13 of the last.
            for count, size in ((10, 56), (50, 56), (3, 1400), (5, 1400), (20, 1400)):
                answered = ping_at_once("10.0.2.77", count, size)
                assert answered == count, f"{answered} of {count} pings of {size} bytes answered"


enter_network_namespace()
if subprocess.run([program, "--max-cycles", "1000"], stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 2:
    skip("built without tuxarium::guest")
CASES = [new_guests_reach_each_other_and_the_host, a_transfer_survives_the_bridge]
if os.path.isdir(OLD_SYSTEM):
    CASES.append(old_and_new_guests_reach_each_other)
else:
    print("no ../shared/jslinux-tap, so no old guest")
run_cases(CASES)
