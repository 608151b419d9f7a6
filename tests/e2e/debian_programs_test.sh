# Unmodified programs of Debian 12 i386 that check what the processor does: OpenSSL's speed test, and sums that are compared with the host's; a
# compiler, with the result of its program; memtester; stress-ng --verify. `long` as the third argument gives stress-ng more time and runs all
# of its processor stressors.
. "$(dirname "$0")/common.sh"
disk=$source_root/build/debian-programs/full.ext2
how='hao/rootfs/build -o build/debian-programs full stress-ng memtester gcc libc6-dev openssl'
[[ -f $disk ]] || { echo "skipped: no build/debian-programs/full.ext2: $how makes it"; exit 0; }
command -v openssl debugfs > /dev/null || { echo "skipped: no openssl to compare with, or no debugfs"; exit 0; }
seconds=1 functions=200
[[ ${3-} != long ]] || seconds=60 functions=2000
steps=()

# step COMMAND: it ends with status 0.
step() {
  local name=step${#steps[@]}
  steps+=(--send "$1; echo $name is \$?\\n" --expect "^$name is 0")
}

key='-K 000102030405060708090a0b0c0d0e0f -iv 0f0e0d0c0b0a09080706050403020100'
sums() {
  openssl dgst -sha256 "$1" | sed 's/.*= //'
  openssl dgst -sha512 "$1" | sed 's/.*= //'
  openssl enc -aes-128-cbc $key -in "$1" | sha256sum | cut -d' ' -f1
}
# A long program in C, each line of which has a part in the number that comes out.
definitions='for n in $(seq 1 '$functions'); do echo "unsigned f$n(unsigned x) { double d = x % 1000 + $n; return (x ^ $n) * 2654435761u + (unsigned)(d * d / 3) + (x >> ($n % 31)); }"; done'
calls='echo "#include <stdio.h>"; echo "int main(void) { unsigned x = 1;"; for n in $(seq 1 '$functions'); do echo "x = f$n(x);"; done; echo "return printf(q(the hash is %08x), x) < 0; }"'
source_text="($definitions; $calls) | sed 's/q(\\(.*\\)), x/\"\\1\", x/'"

# What the guest is to find out.
debugfs -R "dump /usr/bin/stress-ng $work/program" "$disk" > "$work/said" 2>&1
[[ -s $work/program ]] || { echo "skipped: no stress-ng on the disk: $how"; exit 0; }
mapfile -t expected < <(sums "$work/program")
if command -v gcc > /dev/null; then
  bash -c "$source_text" > "$work/all.c"
  gcc -O1 -o "$work/all" "$work/all.c"
  expected+=("$("$work/all")")
fi

step "cd /tmp"
step "openssl speed -seconds 1 sha256 aes-128-cbc"
step "openssl dgst -sha256 /usr/bin/stress-ng"
step "openssl dgst -sha512 /usr/bin/stress-ng"
step "openssl enc -aes-128-cbc $key -in /usr/bin/stress-ng | sha256sum"
step "openssl genrsa -out k.pem 1024 && openssl rsa -in k.pem -check -noout"
step "${source_text//\\/\\\\} > all.c"
step "gcc -O1 -o all all.c && ./all && echo"
step "memtester 4M 1 > memtester.out && tail -1 memtester.out"
step "stress-ng --cpu 1 --cpu-method all --verify -t $seconds"
step "stress-ng --fp 1 --verify -t $seconds"
step "stress-ng --syscall 1 --verify -t $seconds"
step "stress-ng --vm 1 --vm-bytes 16M --vm-method all --verify -t $seconds"
step "stress-ng --vecmath 1 --vecwide 1 --memcpy 1 --qsort 1 --zlib 1 --verify -t $seconds"
# Status 3: some of them want what this kernel does not have.
[[ ${3-} != long ]] || step "stress-ng --class cpu --sequential 1 -t 2 --verify || [ \$? -eq 3 ]"

guest_timeout=880
[[ ${3-} != long ]] || guest_timeout=7200
guest 0 --ram 512M --hda "file:$disk" --overlay "$work/changes" --expect '# $' "${steps[@]}" --send 'poweroff\n' --expect 'Power down'
for answer in "${expected[@]}" "RSA key ok"; do shows "$answer"; done
shows_not "Call Trace"
shows_not "stress-ng: fail"
