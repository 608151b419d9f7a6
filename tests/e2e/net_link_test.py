"""tuxarium-run's websocket link against tuxarium-bridge: tokens, certificates, both wire formats, and what a person is told.

Run as `python3 net_link_test.py TUXARIUM_RUN SOURCE_ROOT TUXARIUM_BRIDGE [CASE...]`; needs root for a network namespace of its own.
"""
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile

program, _, bridge_program = sys.argv[1:4]
sys.argv[1:4] = [bridge_program]

from bridge_common import Bridge, enter_network_namespace, run_cases, taps, wait_until  # pylint: disable=wrong-import-position

SECRET = "0123456789abcdef-secret"


class Link:
    """A machine without a guest, for its network: a ROM that jumps to itself."""

    def __init__(self, folder, url, *options):
        rom = os.path.join(folder, "rom")
        with open(rom, "wb") as file:
            file.write(b"\xeb\xfe" * 2048)
        self.said = tempfile.NamedTemporaryFile(prefix="link-said-")
        self.process = subprocess.Popen([program, "--boot", f"rom:{rom}", "--timeout", "600", "--stats", "json", "--net", url, *options],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.said)

    def messages(self):
        with open(self.said.name, errors="replace") as file:
            return file.read()

    def says(self, text):
        wait_until(f'"{text}"; it said:\n{self.messages()}', lambda: text in self.messages())

    def comes_up(self):
        wait_until(f"a TAP; it said:\n{self.messages()}", lambda: len(taps()) == 1)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        return json.loads([line for line in self.messages().splitlines() if line.startswith("{")][-1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()


def tokens():
    with tempfile.TemporaryDirectory() as folder, Bridge("--token", SECRET) as bridge:
        with Link(folder, "ws://127.0.0.1:3000/tap") as link:
            link.says("no network: The server at 127.0.0.1:3000 wants a token (HTTP 401).")
        with Link(folder, "ws://127.0.0.1:3000/tap", "--net-token", "wrong") as link:
            link.says("refused the token (HTTP 401).")
            figures = link.end()
            assert figures["network_state"] != "up" and figures["network_connections"] == 0, figures
            assert figures["network_last_error"].endswith("(HTTP 401)."), figures
        with Link(folder, "ws://127.0.0.1:3000/nothing", "--net-token", SECRET) as link:
            link.says("has no network at the path /nothing (HTTP 404).")
        assert not taps()
        token_file = os.path.join(folder, "token")
        with open(token_file, "w", encoding="ascii") as file:
            file.write(SECRET + "\n")
        with Link(folder, "ws://localhost:3000/tap", "--net-token-file", token_file) as link:
            link.comes_up()
            assert link.end()["network_state"] == "up"
        wait_until("the TAP goes", lambda: not taps())
        bridge.wait_for("good-bye")


def formats():
    with tempfile.TemporaryDirectory() as folder, Bridge():
        for path, wire_format in (("/tap", "length"), ("/ethernet", "raw")):
            with Link(folder, "ws://127.0.0.1:3000" + path, "--net-format", wire_format) as link:
                link.comes_up()
                # The bridge's own IPv6 messages reach every new guest.
                figures = link.end()
                assert figures["network_state"] == "up" and figures["network_dropped_received"] == 0, figures
            wait_until("the TAP goes", lambda: not taps())


def certificates():
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = os.path.join(folder, "certificate.pem"), os.path.join(folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", certificate,
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        with Bridge("--tls-cert", certificate, "--tls-key", key):
            with Link(folder, "wss://localhost:3000/tap") as link:
                link.says("no network: There is no safe connection to localhost:3000: its certificate is not accepted: ")
            with Link(folder, "wss://127.0.0.1:3000/tap", "--net-ca", certificate) as link:
                link.says("IP address mismatch")
            with Link(folder, "ws://localhost:3000/tap") as link:
                link.says("no network: ")
            assert not taps()
            with Link(folder, "wss://localhost:3000/tap", "--net-ca", certificate) as link:
                link.comes_up()
            wait_until("the TAP goes", lambda: not taps())
            with Link(folder, "wss://127.0.0.1:3000/tap", "--net-insecure") as link:
                link.comes_up()


def restarts():
    with tempfile.TemporaryDirectory() as folder, Link(folder, "ws://127.0.0.1:3000/tap") as link:
        link.says("no network: Nothing answers at 127.0.0.1:3000: Connection refused.")
        with Bridge():
            link.says("the network is up again")
            link.comes_up()
        link.says("no network: The server at 127.0.0.1:3000 ")
        with Bridge() as bridge:
            link.comes_up()
            bridge.stop(signal.SIGKILL)
        with Bridge():
            link.comes_up()
            assert link.end()["network_connections"] == 3


enter_network_namespace()
run_cases([tokens, formats, certificates, restarts])
