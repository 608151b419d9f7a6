#!/usr/bin/env python3
"""Records what programs write to a terminal of 80x30: record.py [NAME...] in this folder.

Needs Debian's vim, less, dialog, mc, htop, tmux and vttest. Each session is NAME.bytes, up to the moment that is of interest, and NAME.screen,
what tmux makes of these bytes (but see the list in tests/ui/recorded_screens_test): the text of the rows without trailing blanks, then a line with the cursor's column and row. The unit test wants the
same of our terminal, and the test `ui_recorded_screens` shows the bytes to the tmux at hand again.
"""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

ROWS, COLUMNS = 30, 80

# What the programs ask of a terminal and wait for: device attributes, cursor position, colours.
ANSWERS = [(b"\x1b[c", b"\x1b[?64;1;6;9;21;22;28c"), (b"\x1b[>c", b"\x1b[>41;379;0c"), (b"\x1b[6n", b"\x1b[1;1R"), (b"\x1b[5n", b"\x1b[0n")]

TEXT = "".join(f"{i:3d} The quick brown fox jumps over the lazy dog; Größe, naïve, 漢字かな, Ω≈ç√.\n" for i in range(1, 60))
CODE = '#include <stdio.h>\n\n/* A comment\n   over two lines. */\nint main(void) {\n\tfor (int i = 0; i < 10; ++i) {\n\t\tprintf("%d \\"quoted\\"\\n", i);\n\t}\n\treturn 0;\n}\n'

# Name: command, and what is typed, each piece once the program has been quiet for a while.
SESSIONS = {
    "vim": (["vim", "-u", "NONE", "-N", "--cmd", "syntax on", "--cmd", "set ruler showcmd hlsearch number", "code.c"],
            ["/printf\r", "ihello \x1b", ":split text.txt\r", "10G", "zz", "3dd", "p"]),
    "less": (["less", "-N", "text.txt"], [" ", "/fox\r", "5j", "b"]),
    "dialog": (["dialog", "--colors", "--title", "A menu", "--menu", "Choose \\Zb\\Z1one\\Zn of these:", "16", "60", "5", "1", "first", "2", "second \u6f22\u5b57", "3", "third"],
               ["\x1b[B", "\t"]),
    "mc": (["mc", "-u", "--nosubshell", ".", "."], ["\x1b[B", "\x1b[B", "\x1b[20~"]),
    "htop": (["unshare", "--pid", "--fork", "--mount-proc", "htop", "--no-mouse", "-d", "50"], []),  # shows itself alone; needs root
    "tmux": (["tmux", "-L", "recorded", "-f", "/dev/null", "new-session", "-x", "80", "-y", "30", "sh"],
             ["PS1='$ '; clear\r", "\x02%", "PS1='> '; cat text.txt\r", "\x02\"", "PS1='# '; printf '\\033[1;31mred\\033[m\\n'\r", "\x02o"]),
    # The first line is taken for the answer to a question of its start.
    "vttest-cursor": (["vttest", "24x80.80"], ["\n", "1\n"]),
    "vttest-autowrap": (["vttest", "24x80.80"], ["\n", "1\n", "\n", "\n"]),
    "vttest-controls": (["vttest", "24x80.80"], ["\n", "1\n", "\n", "\n", "\n", "\n"]),
    "vttest-scroll": (["vttest", "24x80.80"], ["\n", "2\n"] + ["\n"] * 6),
    "vttest-rendition": (["vttest", "24x80.80"], ["\n", "2\n"] + ["\n"] * 13),
    "vttest-charsets": (["vttest", "24x80.80"], ["\n", "3\n", "8\n"]),
    "vttest-accordion": (["vttest", "24x80.80"], ["\n", "8\n"]),
    "vttest-insert": (["vttest", "24x80.80"], ["\n", "8\n", "\n", "\n"]),
    "vttest-delete": (["vttest", "24x80.80"], ["\n", "8\n", "\n", "\n", "\n"]),
}


def record(command, typed, folder):
    child, master = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.environ.update(TERM="xterm-256color", LANG="C.UTF-8", LC_ALL="C.UTF-8", HOME=folder, SHELL="/bin/sh", COLORTERM="")
        os.environ.pop("TMUX", None)
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.execvp(command[0], command)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    taken = b""

    def read_until_quiet():
        nonlocal taken
        latest = time.time()
        while time.time() - latest < 2.0:
            if not select.select([master], [], [], 0.1)[0]:
                continue
            try:
                piece = os.read(master, 65536)
            except OSError:
                return
            if not piece:
                return
            latest = time.time()
            for question, answer in ANSWERS:
                for _ in range(piece.count(question)):
                    os.write(master, answer)
            taken += piece
            if len(taken) > 200_000:
                return

    read_until_quiet()
    for piece in typed:
        os.write(master, piece.encode())
        read_until_quiet()
    os.kill(child, signal.SIGKILL)
    os.close(master)
    os.waitpid(child, 0)
    subprocess.run(["tmux", "-L", "recorded", "kill-server"], stderr=subprocess.DEVNULL, check=False)
    return taken


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    for name in sys.argv[1:] or SESSIONS:
        with tempfile.TemporaryDirectory(prefix="recorded") as folder:
            for file, content in (("text.txt", TEXT), ("code.c", CODE)):
                with open(os.path.join(folder, file), "w", encoding="utf-8") as out:
                    out.write(content)
            command, typed = SESSIONS[name]
            taken = record(command, typed, folder)
        path = os.path.join(here, name)
        with open(path + ".bytes", "wb") as out:
            out.write(taken)
        shown = subprocess.run([os.path.join(here, "show_in_tmux"), path + ".bytes"], check=True, capture_output=True).stdout
        with open(path + ".screen", "wb") as out:
            out.write(shown)
        print(name, len(taken))


main()
