# In the guest, tcc and gcc -O2 make programs that run.
. "$(dirname "$0")/common.sh"
need "$tap"

for cpu in full jslinux; do
  guest 0 --boot "jslinux:$tap" --cpu "$cpu" --expect "$tap_prompt" \
    --send 'tcc -o hello hello.c && ./hello\n' --expect '^Hello World' --expect "$tap_prompt" \
    --send 'gcc -O2 -o hello2 hello.c && ./hello2\n' --expect '^Hello World' --expect "$tap_prompt"
done
