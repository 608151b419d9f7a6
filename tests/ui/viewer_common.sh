# For the tests that work the viewer under Xvfb with real events; `out` is the folder for what they leave.
skip() { echo "skipped: $*"; exit 77; }
fail() { echo "FAILED: $*"; [[ -f $out/cells.txt ]] && cat "$out/cells.txt"; exit 1; }

# Starts Xvfb on a display of its own; it ends with the script, and so does the viewer in $viewer_pid.
start_display() {
  for tool in Xvfb xdotool; do command -v "$tool" >/dev/null || skip "no $tool"; done
  mkdir -p "$out"
  rm -rf "$out/cells.txt" "$out/screen.png" "$out/config"
  export XDG_CONFIG_HOME=$out/config
  Xvfb -displayfd 3 -screen 0 1280x1024x24 3>"$out/display" >/dev/null 2>&1 &
  xvfb=$!
  viewer_pid=
  trap 'kill $xvfb $viewer_pid 2>/dev/null || true' EXIT
  for _ in $(seq 100); do [[ -s $out/display ]] && break; sleep 0.1; done
  [[ -s $out/display ]] || skip "Xvfb does not start"
  export DISPLAY=:$(<"$out/display") LIBGL_ALWAYS_SOFTWARE=1
}

# The window, once the guest has set this title.
wait_for_title() {
  for _ in $(seq 600); do
    window=$(xdotool search --name "^$1 - Tuxarium" 2>/dev/null | head -1) && [[ -n $window ]] && return
    kill -0 $viewer_pid 2>/dev/null || fail "the viewer ended before $1"
    sleep 0.1
  done
  fail "no title $1"
}
keys() { xdotool key --delay 30 "$@"; }
text() { xdotool type --delay 15 "$1"; }
# Types a command that ends by setting the title.
command_then() {
  text "$2; printf '\\033]0;$1\\007'"
  keys Return
  wait_for_title "$1"
}
