# The disk to learn with, where `hao/rootfs/build full` has made it: its compiler makes our tapper, and its tools start.
. "$(dirname "$0")/common.sh"
disk=$source_root/build/hao-rootfs/full.ext2
[[ -f $disk ]] || { echo "skipped: no build/hao-rootfs/full.ext2: hao/rootfs/build full makes it"; exit 0; }
prompt='# $'

guest 0 --ram 64M --hda "file:$disk" --overlay "$work/changes" --expect "$prompt" \
  --send 'cd /usr/src/tuxarium && make tapper && ./tapper\n' --expect 'usage: tapper' --expect "$prompt" \
  --send 'for tool in vi curl tcpdump strace make tcc; do $tool --version > /tmp/$tool 2>&1 || echo "no $tool"; done; cat /tmp/*; ip -V\n' \
  --expect 'ip utility, iproute2' --expect "$prompt" \
  --send 'ssh-up; dbclient -y root@127.0.0.1 "echo in by ssh as \\$(whoami)" < /dev/null\n' --expect 'in by ssh as root' --expect "$prompt" \
  --send 'poweroff\n' --expect 'Power down'
for name in 'VIM - Vi IMproved' 'curl 7' 'tcpdump version' 'strace -- version' 'GNU Make' 'tcc version'; do shows "$name"; done
