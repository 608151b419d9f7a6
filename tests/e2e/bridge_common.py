"""What the tests of tuxarium-bridge share: a network namespace of the test's own, the program, and a websocket client on plain sockets.

A test is run as `python3 bridge_NAME_test.py PROGRAM`. Without root or /dev/net/tun it prints "skipped: " and why.
"""
import base64
import contextlib
import ctypes
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import traceback

PATIENCE = 60  # seconds, for what takes milliseconds on a machine with nothing else to do
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
BROADCAST = b"\xff" * 6
PORT = 3000


def skip(why):
    print("skipped: " + why)
    sys.exit(0)


def enter_network_namespace():
    """Nothing that the test does to the network is seen outside, and all of it goes with the test."""
    if os.geteuid() != 0:
        skip("needs root for a network namespace")
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as problem:
        skip(f"/dev/net/tun: {problem}")
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET | CLONE_NEWNS) != 0:
        skip("no network namespace: " + os.strerror(ctypes.get_errno()))
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    if subprocess.run(["ip", "link", "set", "lo", "up"], check=False).returncode != 0:
        skip("ip(8) does not work here")


@contextlib.contextmanager
def tun_open_to_all():
    """/dev/net/tun as a stock Debian has it, for this test alone. Gives False where that cannot be had."""
    with tempfile.TemporaryDirectory() as folder:
        node = folder + "/tun"
        try:
            os.mknod(node, 0o20666, os.makedev(10, 200))
            os.chmod(node, 0o666)
            os.close(os.open(node, os.O_RDWR))
        except OSError as problem:
            print(f"not run, no device file of one's own: {problem}")
            yield False
            return
        subprocess.run(["mount", "--bind", node, "/dev/net/tun"], check=True)
        try:
            yield True
        finally:
            subprocess.run(["umount", "/dev/net/tun"], check=True)


def wait_until(what, condition, patience=PATIENCE):
    until = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"waited {patience} s for: {what}")
        time.sleep(0.02)


def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


def devices():
    return set(re.findall(r"^\d+: ([^:@]+)", ip("-o", "link"), re.M))


def taps():
    return {name for name in devices() if name.startswith("websockettun")}


class Bridge:
    """The program, from "ready" to its end."""

    def __init__(self, *options, program=None, wait=True, **popen):
        self.log_file = tempfile.NamedTemporaryFile(prefix="bridge-log-", mode="r", errors="replace")
        command = [program or sys.argv[1], *options]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.log_file.name, "w"), **popen)
        if wait:
            wait_until("the bridge is ready", lambda: self.says("ready:") or self.process.poll() is not None)
            assert self.process.poll() is None, "the bridge ended:\n" + self.log()

    def log(self):
        with open(self.log_file.name, errors="replace") as file:
            return file.read()

    def says(self, text):
        return text in self.log()

    def wait_for(self, text):
        wait_until(f'the bridge says "{text}"; it said:\n{self.log()}', lambda: self.says(text))

    def joined(self, count):
        """Waits until so many clients have connected and are on the network; what is sent before that is lost to them."""
        wait_until(f"{count} clients have joined", lambda: self.log().count(": connected to /") >= count)

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            print("--- what the bridge said\n" + self.log())
        self.stop(signal.SIGKILL if kind else signal.SIGTERM)


class Refused(Exception):
    """The handshake was answered with something else than 101."""

    def __init__(self, status, text):
        super().__init__(f"{status} {text}")
        self.status, self.text = status, text


class Closed(Exception):
    """The connection is over; `code` is None when it ended without a close message."""

    def __init__(self, code=None, reason=""):
        super().__init__(f"closed: {code} {reason}")
        self.code, self.reason = code, reason


def connect(tls=None, host="127.0.0.1", receive_buffer=None):
    plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if receive_buffer:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    plain.settimeout(PATIENCE)
    plain.connect((host, PORT))
    return tls.wrap_socket(plain, server_hostname="localhost") if tls else plain


def get(path, headers=(), tls=None):
    """Status, header and body of a plain request."""
    with connect(tls) as link:
        link.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\n".encode() + b"".join(f"{h}\r\n".encode() for h in headers) + b"\r\n")
        return read_answer(link)


def read_answer(link):
    answer = b""
    with contextlib.suppress(ConnectionResetError, ssl.SSLEOFError):
        while chunk := link.recv(65536):
            answer += chunk
    head, _, body = answer.decode(errors="replace").partition("\r\n\r\n")
    status = int(head.split()[1]) if head else 0
    return status, head, body


class Client:
    """A websocket client (RFC 6455) that sends what it is told to."""

    def __init__(self, path="/ethernet", headers=(), tls=None, host="127.0.0.1", receive_buffer=None):
        self.link = connect(tls, host, receive_buffer)
        self.buffer = b""
        key = base64.b64encode(os.urandom(16)).decode()
        request = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{PORT}", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                   f"Sec-WebSocket-Key: {key}", *headers, "", ""]
        self.link.sendall("\r\n".join(request).encode())
        while b"\r\n\r\n" not in self.buffer:
            chunk = self.link.recv(4096)
            if not chunk:
                raise Closed()
            self.buffer += chunk
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        self.head = head.decode()
        status = int(self.head.split()[1])
        if status != 101:
            raise Refused(status, self.buffer.decode())
        self.stream = b""  # of /tap

    def send(self, payload, opcode=2):
        self.link.sendall(self.message(payload, opcode))

    @staticmethod
    def message(payload, opcode=2):
        length = len(payload)
        if length < 126:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | length)
        elif length < 65536:
            head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, length)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, length)
        return head + b"\0\0\0\0" + payload  # a mask of zeros

    def send_text(self, text):
        self.send(text.encode(), 1)

    def _take(self, count):
        while len(self.buffer) < count:
            chunk = self.link.recv(65536)
            if not chunk:
                raise Closed()
            self.buffer += chunk
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def receive(self, timeout=PATIENCE):
        """The next data message; pings are answered."""
        self.link.settimeout(timeout)
        while True:
            first, length = self._take(2)
            if length == 126:
                length = struct.unpack("!H", self._take(2))[0]
            elif length == 127:
                length = struct.unpack("!Q", self._take(8))[0]
            payload = self._take(length)
            opcode = first & 15
            if opcode == 8:
                code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
                with contextlib.suppress(OSError):
                    self.send(payload[:2], 8)
                raise Closed(code, payload[2:].decode())
            if opcode == 9:
                self.send(payload, 10)
            if opcode == 2:
                return payload

    def closed(self, timeout=PATIENCE):
        """Reads on until the connection is over; how it ended."""
        try:
            while True:
                self.receive(timeout)
        except Closed as end:
            return end
        except ConnectionResetError:
            return Closed()

    def frame(self, wanted, timeout=PATIENCE):
        """The next frame for which `wanted` is true; the others are dropped. The client must be one of /ethernet."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            frame = self.receive(max(0.01, until - time.monotonic()))
            if wanted(frame):
                return frame
        raise AssertionError("the frame did not come")

    def no_frame(self, wanted, seconds=0.5):
        try:
            self.frame(wanted, seconds)
        except (AssertionError, TimeoutError):
            return
        raise AssertionError("a frame came that should not")

    def close(self):
        with contextlib.suppress(OSError):
            self.send(struct.pack("!H", 1000), 8)
        self.link.close()

    def cut(self):
        """Gone without a word, as far as websockets go: a reset."""
        self.link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.link.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def mac(number):
    return bytes([0x02, 0, 0, 0, number >> 8, number & 255])


def ethernet(destination, source, payload=b"", kind=0x88b5):  # an experimental type that no host answers
    frame = destination + source + struct.pack("!H", kind) + payload
    return frame + bytes(max(0, 60 - len(frame)))


def with_length(frame):
    return struct.pack("!H", len(frame)) + frame


def arp_request(source, sender_ip, target_ip):
    return ethernet(BROADCAST, source, struct.pack("!HHBBH", 1, 0x800, 6, 4, 1) + source + socket.inet_aton(sender_ip) + bytes(6) + socket.inet_aton(target_ip), 0x806)


def is_arp_reply(frame):
    return frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\x02"


def checksum(data):
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(source, destination, protocol, payload):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0, socket.inet_aton(source), socket.inet_aton(destination))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def echo_request(source_mac, gateway_mac, source, destination, number=1, size=56):
    body = struct.pack("!BBHHH", 8, 0, 0, 77, number) + bytes(size)
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    return ethernet(gateway_mac, source_mac, ipv4(source, destination, 1, body), 0x800)


def is_echo_reply(frame):
    return frame[12:14] == b"\x08\x00" and frame[23] == 1 and frame[34] == 0


def find_gateway(client, own_mac, own_ip="10.0.2.50", gateway="10.0.2.1"):
    """Asks again as a host does: the kernel lets a new device's frames through a moment after it has joined the bridge."""
    until = time.monotonic() + PATIENCE
    while True:
        client.send(arp_request(own_mac, own_ip, gateway))
        try:
            return client.frame(is_arp_reply, 2)[6:12]
        except (AssertionError, TimeoutError):
            if time.monotonic() > until:
                raise


def run_cases(cases):
    """Runs each, says which failed and why."""
    chosen = sys.argv[2:]
    failed = 0
    for case in cases:
        if chosen and case.__name__ not in chosen:
            continue
        started = time.monotonic()
        try:
            case()
            print(f"ok      {case.__name__} ({time.monotonic() - started:.1f} s)", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            traceback.print_exc(file=sys.stdout)
            print(f"FAILED  {case.__name__}", flush=True)
    sys.exit(1 if failed else 0)
