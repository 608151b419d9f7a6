# Wrong usage and bad images: status 2, one sentence that names the culprit, and no file made or changed.
. "$(dirname "$0")/common.sh"

# refused WORD OPTIONS...
refused() {
  local word=$1
  shift
  mkdir -p "$work/outputs"
  echo old > "$work/outputs/old"
  guest 2 "$@"
  [[ ! -s $work/console ]] || fail "something went to stdout"
  (($(wc -l < "$work/said") == 1)) || fail "not one line"
  grep -qF -- "$word" "$work/said" || fail "the message does not name $word"
  [[ $(ls "$work/outputs") == old && $(cat "$work/outputs/old") == old ]] || fail "an output was touched"
}

head -c 4096 /dev/zero | tr '\0' '\364' > "$work/rom"
head -c 1000 /dev/zero > "$work/short.img"
head -c 1000 /dev/zero > "$work/junk"
out=$work/outputs
refused --bogus --bogus
refused floppy --boot floppy:x
refused "$work/missing" --boot "rom:$work/missing" --port-log "$out/new:0x80"
refused "$work/missing" --boot "jslinux:$work/missing" --clipboard-out "$out/old"
refused junk --boot "multiboot:$work/junk"
refused junk --boot "linux:$work/junk"
refused short.img --boot "rom:$work/rom" --hda "file:$work/short.img" --port-log "$out/old:0x80"
refused none.img --boot "rom:$work/rom" --hda "file:$work/none.img"
refused "$work/nowhere" --boot "rom:$work/rom" --hda "dir:$work/nowhere"
refused "$out/none/log" --boot "rom:$work/rom" --serial2 "file:$out/new" --port-log "$out/none/log:0x80"
refused "$out/none/text" --boot "rom:$work/rom" --port-log "$out/old:0x80" --clipboard-out "$out/none/text"
refused "$work/no-text" --boot "rom:$work/rom" --clipboard-in "$work/no-text"
refused RAM --boot "rom:$work/rom" --ram 1K --port-log "$out/new:0x80"
refused '(oops' --boot "rom:$work/rom" --expect '(oops' --port-log "$out/old:0x80"
refused --send --boot "rom:$work/rom" --send '\q'

if [[ -d $tap ]]; then
  mkdir "$work/truncated"
  ln -s "$(realpath "$tap")"/linuxstart.bin "$work/truncated/"
  ln -s "$(realpath "$tap")"/vmlinux-2.6.20.bin "$work/truncated/"
  mkdir "$work/truncated/hda"
  cp "$tap"/hda/hda00000000[01].bin "$work/truncated/hda/"
  head -c 100 "$tap/hda/hda000000000.bin" > "$work/truncated/hda/hda000000001.bin"
  refused hda000000001.bin --boot "jslinux:$work/truncated"
fi
