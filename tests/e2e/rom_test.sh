# Small ROMs: halting for good ends the run with status 0, bytes to a port are logged, limits are kept.
. "$(dirname "$0")/common.sh"

# rom NAME HEX: code at the reset vector's segment start (F000:0000), a jump to it at the reset vector, HLT elsewhere.
rom() {
  local hex
  hex=$(printf 'f4%.0s' {1..65536})
  hex=$2${hex:${#2}}
  hex=${hex:0:131040}ea000000f0${hex:131050}
  printf '%b' "$(sed 's/../\\x&/g' <<< "$hex")" > "$work/$1"
}

rom halt fa
guest 0 --boot "rom:$work/halt" --stats json
grep -q '"reason": "power_off"' "$work/said" || fail "the reason is not power_off"

# mov al,'A'; out 0xe9,al; mov ax,'BC' (little endian); out 0xe9,ax; out 0x80,al; cli; hlt
rom log b041e6e9b84243e7e9e680faf4
guest 0 --boot "rom:$work/log" --port-log "$work/log.bin:0xe9" --stats json
[[ $(< "$work/log.bin") == ABC ]] || fail "the port log is not ABC"

# jmp $
rom loop ebfe
guest 124 --boot "rom:$work/loop" --max-cycles 1000000 --stats json
grep -q '"cycles": 1000000,' "$work/said" || fail "the limit on cycles is not exact"
guest 124 --boot "rom:$work/loop" --max-cycles 5 --clock cycles
