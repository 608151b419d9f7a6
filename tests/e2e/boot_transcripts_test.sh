# Both old systems boot to their prompts, and their consoles equal the transcripts of the original.
#
# Not compared: the values of Detected, BogoMIPS and Booted in, which depend on timing; the kind of the UARTs, which are real 16550As here;
# and the line on cache flushes, which the drive of the original did not have. The older system has one more UART here. With the
# complete processor its name and caches, the workaround for another one, what the kernel says of SSE and the kernel's memory differ as well.
. "$(dirname "$0")/common.sh"
need "$tap"
need "$deob"

normalise() {
  sed -E -e 's/^Detected [0-9.]+ MHz/Detected N MHz/' \
    -e 's/^(Calibrating delay .*\.\.) .*/\1 N/' \
    -e 's/^Booted in [0-9.]+ s/Booted in N s/' \
    -e 's/^(serial8250: ttyS[01] .* is a ).*/\1UART\r/' \
    -e '/^hda: cache flushes supported/d' "$@"
}
without_second_uart() { sed -e '/^serial8250: ttyS1/d'; }
# The line behind the workaround is the empty one of a processor that says nothing of its caches.
without_processor() { sed -E -e '/^Intel Pentium with F0 0F/{N;d}' -e '/^(Memory: |CPU: |Enabling (fast FPU save|unmasked SIMD))/d'; }

# same NAME PROMPT DIR TRANSCRIPT CPU FILTER
same() {
  guest 0 --boot "jslinux:$3" --cpu "$5" --clock cycles:10M --expect "$2"
  normalise "$work/console" | $6 > "$work/got"
  normalise "$4" | $6 > "$work/wanted"
  diff -u "$work/wanted" "$work/got" > "$work/difference" || { cat "$work/difference"; fail "$1 with --cpu $5 boots differently"; }
}
both() { without_second_uart | without_processor; }

same tap "$tap_prompt" "$tap" "$tap/golden/tap_boot.txt" jslinux cat
same deob "$deob_prompt" "$deob" "$deob/golden/deob_boot.txt" jslinux without_second_uart
same tap "$tap_prompt" "$tap" "$tap/golden/tap_boot.txt" full without_processor
same deob "$deob_prompt" "$deob" "$deob/golden/deob_boot.txt" full both
