# The committed images of the guest are those that the sources beside them make: as SOURCES.md has it, and not older than an input.
. "$(dirname "$0")/common.sh"
image=$source_root/hao/image

for file in vmlinux.zst root.ext2.zst; do
  inputs=$("$image/inputs" "$file")
  grep -q "^| \`$file\` .*\`$inputs\` |\$" "$image/SOURCES.md" || {
    echo "FAILED: hao/image/$file is older than its sources: run hao/$([[ $file == vmlinux.zst ]] && echo kernel || echo rootfs)/build"
    exit 1
  }
  if command -v zstd > /dev/null; then
    sum=$(zstd -dc -- "$image/$file" | sha256sum | cut -d' ' -f1)
    grep -q "^| \`$file\` .*\`$sum\` | \`$inputs\` |\$" "$image/SOURCES.md" || { echo "FAILED: hao/image/$file is not the file that SOURCES.md names"; exit 1; }
  fi
done
(($(cat -- "$image"/*.zst | wc -c) < 8 << 20)) || { echo "FAILED: the images are larger than 8 MiB"; exit 1; }
