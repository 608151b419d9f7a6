# The Linux inside the program: a shell in 24 MiB of RAM, files, the clipboard, reboot, power-off, and a second boot by the overlay.
. "$(dirname "$0")/common.sh"

status=0
"$program" --boot default --max-cycles 1000 > "$work/console" 2> "$work/said" < /dev/null || status=$?
if grep -q "built without a Linux" "$work/said"; then echo "skipped: built without tuxarium::guest"; exit 0; fi

prompt='/root # $'
guest 0 --ram 24M --expect "$prompt" --send 'uname -s -m; stty size\n' --expect 'Linux i686' --expect '30 80' --expect "$prompt" \
  --send 'echo kept > /root/file && sync && cat /root/file; mount | grep "on / "\n' --expect '/dev/root on / type ext2 .rw' \
  --expect "$prompt" --send 'poweroff\n' --expect 'Power down'
shows 'Boot time: '
shows_not 'I/O error'
shows_not 'not found'
shows_not 'perfctr'

# The window is as large as the kernel's command line says, or as `resize` is told or finds out.
options='console=ttyS0 root=/dev/sda rootfstype=ext2 rw tsc=reliable board=tuxarium quiet'
guest 0 --append "$options rows=50 cols=132" --expect "$prompt" --send 'whoami; stty size; resize 41 99; stty size\n' --expect '\n41 99' \
  --expect "$prompt" --send 'resize; stty size\n' --expect '\[6n' --send '\e[48;150R' --expect '\n48 150' --expect "$prompt"
shows '50 132'

# In a terminal it is as large as that.
python3 - "$program" > "$work/console" 2> "$work/said" << 'PYTHON' || fail "tuxarium-run in a terminal"
import fcntl, os, pty, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 43, 117, 0, 0))
    os.execv(sys.argv[1], [sys.argv[1], "--timeout", "600", "--expect", "/root # $", "--send", "stty size\n", "--expect", r"\d+ \d+\s", "--send", "poweroff\n", "--expect", "Power down"])
try:
    while chunk := os.read(terminal, 4096):
        os.write(1, chunk)
except OSError:  # the terminal is closed
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PYTHON
shows '43 117'

printf 'from the host, 5 words' > "$work/text"
guest 0 --clipboard-in "$work/text" --clipboard-out "$work/out" --expect "$prompt" --send 'clip | wc -c; clip\n' --expect '22' \
  --expect 'from the host, 5 words' --expect "$prompt" --send 'seq 1 2000 | clip\n' --expect "$prompt" --send 'poweroff\n' --expect 'Power down'
seq 1 2000 | cmp - "$work/out" || fail "the clipboard has something else"

guest 0 --expect "$prompt" --send 'reboot\n' --expect 'Boot time' --expect "$prompt"
grep -q "boots again" "$work/said" || fail "the reset was not reported"

# The guest's own power-off ends the program with status 0.
{ sleep 3; echo poweroff; } | timeout 60 "$program" --timeout 50 > "$work/console" 2> "$work/said" || fail "poweroff ended with status $?"

# What was written is there at the next boot from the same overlay, and the file system is whole.
guest 0 --overlay "$work/changes" --expect "$prompt" --send 'echo survives > /etc/note\n' --expect "$prompt" --send 'poweroff\n' --expect 'Power down'
guest 0 --overlay "$work/changes" --expect "$prompt" --send 'cat /etc/note\n' --expect 'survives' --expect "$prompt" --send 'poweroff\n' --expect 'Power down'
