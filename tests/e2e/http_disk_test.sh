# The default guest with its disk on a web server: it boots, every byte is right, the cache and an overlay serve later runs; from a server
# that is often wrong it reads the right bytes or gets an error.
. "$(dirname "$0")/common.sh"
tool=$(dirname "$program")/tuxarium-disk
for name in zstd python3 "$tool"; do
  command -v "$name" > /dev/null || { echo "skipped: there is no ${name##*/}"; exit 0; }
done
"$program" --hda http://127.0.0.1:1/ > "$work/console" 2> "$work/said" < /dev/null || true
if grep -q "built without" "$work/said"; then echo "skipped: $(cat "$work/said")"; exit 0; fi
prompt='/root # '
servers=()
trap 'kill "${servers[@]}" 2> /dev/null || true; rm -rf -- "$work"' EXIT

zstd -dq "$source_root/hao/image/root.ext2.zst" -o "$work/disk.img"
"$tool" split "$work/disk.img" "$work/pieces" > /dev/null
sum=$(sha256sum < "$work/disk.img")
sum=${sum%% *}

# first_line FILE: waits for it.
first_line() {
  until [[ -s $1 ]] && grep -q . "$1"; do sleep 0.1; done
  head -1 "$1"
}

python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$work/pieces" > "$work/server" 2> "$work/requests" &
servers+=($!)
port=$(first_line "$work/server" | sed 's/.* port \([0-9]*\).*/\1/')
url=http://127.0.0.1:$port/
pieces_asked() { grep -c '"GET /hda0' "$work/requests" || true; }

# Two drives at once; the second is read to its end, and then from the cache.
for run in network cache; do
  guest 0 --net none --hda "$url" --hdb "$url,ro" --disk-cache "$work/my cache" --expect "$prompt" \
    --send 'sha256sum /dev/sdb; echo x > /file && sync; poweroff\n' --expect "$sum" --expect 'Power down'
  [[ ! -s $work/said ]] || fail "the program says something"
  [[ $run == cache ]] || asked=$(pieces_asked)
done
((asked > 0)) || fail "the first run asked for no pieces"
[[ $(pieces_asked) == "$asked" ]] || fail "the second run asked for pieces that are in the cache"

# With instructions as its clock the guest's time stands still meanwhile.
guest 0 --net none --clock cycles --hda "$url" --disk-cache none --expect "$prompt" --send 'poweroff\n' --expect 'Power down'

# An overlay belongs to the disk with this manifest.
guest 0 --net none --hda "$url" --disk-cache "$work/my cache" --overlay "$work/overlay" --expect "$prompt" --send 'echo kept > /note; sync; poweroff\n' --expect 'Power down'
guest 0 --net none --hda "$url" --disk-cache "$work/my cache" --overlay "$work/overlay" --expect "$prompt" --send 'cat /note; poweroff\n' --expect '^kept'
guest 0 --net none --hda "dir:$work/pieces" --overlay "$work/overlay" --expect "$prompt" --send 'cat /note; poweroff\n' --expect '^kept'
printf x | dd of="$work/disk.img" bs=1 seek=5000000 conv=notrunc status=none
rm -r "$work/pieces"
"$tool" split "$work/disk.img" "$work/pieces" > /dev/null
guest 2 --net none --hda "$url" --disk-cache none --overlay "$work/overlay"
grep -q 'has changed' "$work/said" || fail "the message does not say that the disk has changed"

# A server that is wrong: a boot, or a clean failure.
sum=$(sha256sum < "$work/disk.img")
sum=${sum%% *}
if [[ -x ${FAULTY_HTTP_SERVER:-} ]]; then
  for percent in 10 40 90; do
    seed=$RANDOM
    echo "seed $seed, $percent % of the requests"
    mkfifo "$work/stdin.$percent"
    "$FAULTY_HTTP_SERVER" "$work/pieces" "$percent" "$seed" > "$work/faulty.$percent" < "$work/stdin.$percent" &
    servers+=($!)
    exec 9> "$work/stdin.$percent"
    status=0
    "$program" --net none --clock cycles --timeout 100 --hda "$(first_line "$work/faulty.$percent")" --hdb "$(first_line "$work/faulty.$percent"),ro" \
      --disk-cache none --expect "$prompt" --send 'sha256sum /dev/sdb; poweroff\n' --expect '[0-9a-f]{64}|rror' \
      > "$work/console" 2> "$work/said" < /dev/null || status=$?
    exec 9>&-
    ((status == 0 || status == 1 || status == 124)) || fail "the status is $status"
    if found=$(tr -d '\r' < "$work/console" | grep -oE '^[0-9a-f]{64}'); then
      [[ $found == "$sum" ]] || fail "wrong bytes were read"
    fi
    echo "status $status, sum ${found:-none}"
  done
else
  echo "not tried: there is no faulty_http_server"
fi

# What cannot be opened ends the program with one sentence.
refused() {
  local words=$1
  shift
  guest 2 --net none "$@"
  [[ $(wc -l < "$work/said") == 1 ]] || fail "the message is not one line"
  grep -q -- "$words" "$work/said" || fail "the message does not say: $words"
}
refused 'connecting to' --hda http://127.0.0.1:1/
refused 'is malformed' --hda http:///x
refused 'neither hda.manifest nor' --hda "${url}nowhere/"
refused 'disk-cache' --hda file:/x --disk-cache none
echo '<html>' > "$work/pieces/hda.manifest"
refused 'manifest.*malformed' --hda "$url"
