# tuxarium-disk on disks of its own making. No guest is needed: the program under test lies beside tuxarium-run.
. "$(dirname "$0")/common.sh"
tool=$(dirname "$program")/tuxarium-disk
[[ -x $tool ]] || { echo "skipped: there is no tuxarium-disk"; exit 0; }
: > "$work/console"
: > "$work/said"
cd -- "$work"

# does WORDS...: the tool succeeds and says nothing on stderr.
does() {
  "$tool" "$@" > console 2> said || fail "status $? of: $*"
  [[ ! -s said ]] || fail "stderr of: $*"
}
# refuses WORD WORDS...: status 2, one sentence with WORD, and nothing new in the folder.
refuses() {
  local word=$1 before status=0
  shift
  before=$(ls -A)
  "$tool" "$@" > console 2> said || status=$?
  ((status == 2)) || fail "status $status, not 2, of: $*"
  [[ $(wc -l < said) == 1 && ! -s console ]] || fail "not one sentence: $*"
  grep -qF -- "$word" said || fail "the message does not name $word: $*"
  [[ $(ls -A) == "$before" ]] || fail "files were left by: $*"
}
same() { cmp "$1" "$2" || fail "$1 is not $2"; }

# A disk with zeros in the middle, of a size that is no multiple of a piece.
{ head -c 70000 /dev/urandom; head -c 200000 /dev/zero; head -c 50512 /dev/urandom; } > 'a disk.img'

# Pieces and back.
does split 'a disk.img' 'the pieces'
[[ ! -e 'the pieces/hda000000002.bin' && -e 'the pieces/hda.manifest' ]] || fail "the pieces are not as expected: $(ls 'the pieces')"
does verify 'the pieces'
grep -q checksum console || fail "verify did not compare checksums"
does info 'the pieces'
grep -qx 'pieces of zeros: 2' console || fail "info does not count the pieces of zeros"
does merge 'the pieces' back.img
same 'a disk.img' back.img
does split 'a disk.img' small --piece-size 4K --zero-files
[[ -e small/hda000000040.bin ]] || fail "--zero-files left a piece out"
does merge small back.img --force
same 'a disk.img' back.img

# Damage is found and named.
cp -r 'the pieces' wrong
printf x | dd of=wrong/hda000000001.bin bs=1 seek=77 conv=notrunc status=none
refuses hda000000001.bin verify wrong
refuses hda000000001.bin merge wrong none.img
rm wrong/hda000000001.bin
refuses hda000000001.bin info wrong
echo nonsense > wrong/hda.manifest
refuses hda.manifest verify wrong

# Wrong use.
refuses 'a disk.img' merge small 'a disk.img'
refuses small split 'a disk.img' small
refuses 'piece size' split 'a disk.img' new --piece-size 1000
refuses nowhere info nowhere
refuses --help
refuses subcommand bogus
refuses 'not an overlay' discard back.img
refuses 'not an overlay' commit back.img 'a disk.img'
refuses nowhere commit back.img nowhere
head -c 1000 /dev/zero > short.img
refuses short.img verify short.img

# An overlay that a guest made: a ROM that stops at once writes nothing, so the overlay is empty but whole.
head -c 4096 /dev/zero | tr '\0' '\364' > rom
"$program" --boot rom:rom --hda 'file:back.img' --overlay 'an overlay' --max-cycles 100 > console 2> said || true
[[ -s 'an overlay' ]] || fail "no overlay was made"
does verify 'an overlay'
does info 'an overlay'
grep -qx 'sectors written: 0' console || fail "info on an overlay"
refuses overlay merge 'an overlay' x.img
cp 'an overlay' broken
printf x | dd of=broken bs=1 seek=20 conv=notrunc status=none
refuses broken verify broken
refuses broken discard broken
does discard broken --force
[[ ! -e broken ]] || fail "discard left the overlay"
does merge back.img merged.img --overlay 'an overlay'
same 'a disk.img' merged.img
does commit back.img 'an overlay'
same 'a disk.img' back.img
[[ ! -e 'an overlay' ]] || fail "commit left the overlay"

# ext2 from a folder.
mkdir -p 'root folder/etc'
echo hello > 'root folder/etc/greeting'
if [[ -n $(PATH=$PATH:/usr/sbin:/sbin type -P mke2fs) ]]; then
  does create 'root folder' fs.img
  does create 'root folder' fs.img --size 4M --force
  (($(stat -c %s fs.img) == 4 << 20)) || fail "the size of the file system"
  if [[ -n $(PATH=$PATH:/usr/sbin:/sbin type -P debugfs) ]]; then
    [[ $(PATH=$PATH:/usr/sbin:/sbin debugfs -R 'cat /etc/greeting' fs.img 2> said) == hello ]] || fail "the content of the file system"
    PATH=$PATH:/usr/sbin:/sbin e2fsck -fn fs.img > console 2> said || fail "e2fsck"
  fi
  head -c 300000 /dev/urandom > 'root folder/large'
  refuses mke2fs create 'root folder' tiny.img --size 100K
fi
refuses nowhere create nowhere x.img

# A guest's writes, committed to pieces.
if [[ -d $tap ]]; then
  mkdir pieces
  cp "$tap"/hda/*.bin pieces/
  guest 0 --boot "jslinux:$tap" --hda dir:pieces --overlay changes --expect "$tap_prompt" \
    --send 'mount -o remount,rw / && echo kept > /root/note; sync; mount -o remount,ro /; echo do"ne"\n' --expect 'done' --expect "$tap_prompt"
  does info changes
  does merge pieces merged.img --overlay changes --force
  does commit pieces changes
  cat pieces/hda*.bin | cmp - merged.img || fail "commit and merge differ"
  does verify pieces
  guest 0 --boot "jslinux:$tap" --hda dir:pieces --expect "$tap_prompt" --send 'cat /root/note\n' --expect '^kept' --expect "$tap_prompt"
fi
