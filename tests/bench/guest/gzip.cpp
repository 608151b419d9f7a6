// gzip -9 of the default guest's busybox, over text made of random words.

#include "system.hpp"
#include "workloads.hpp"

namespace guest {

namespace {

constexpr size_t kTextBytes = size_t{3} << 20;
constexpr long kWriteCreateTruncate = 01 | 0100 | 01000;
constexpr const char* kText = "/text";
constexpr const char* kPacked = "/text.gz";

long open_file(const char* path, long flags) { return must("open", call(kOpen, address(path), flags, 0644)); }

/// Words of 2 to 9 letters, common ones more often; a line's end now and then.
void make_text() {
  Random random;
  char words[512][10];
  for (auto& word : words) {
    const unsigned count = 2 + random.next() % 8;
    for (unsigned i = 0; i < count; ++i) word[i] = "etaoinshrdlucmfwypvbgk"[random.next() % 22 * (random.next() % 22) / 22];
    word[count] = 0;
  }
  for (size_t at = 0; at < kTextBytes;) {
    const unsigned choice = (random.next() & 511) * (random.next() & 511) >> 9;
    for (const char* c = words[choice]; *c != 0 && at < kTextBytes; ++c) arena[at++] = static_cast<uint8_t>(*c);
    if (at < kTextBytes) arena[at++] = random.next() % 12 == 0 ? '\n' : ' ';
  }
}

}  // namespace

void prepare_gzip() {
  make_text();
  const long file = open_file(kText, kWriteCreateTruncate);
  if (call(kWrite, file, address(arena), kTextBytes) != static_cast<long>(kTextBytes)) must("write of the text", -1);
  call(kClose, file);
}

uint32_t gzip() {
  const char* arguments[] = {"gzip", "-9", "-c", nullptr};
  run_program("/bin/gzip", arguments, [] {
    call(kDup2, open_file(kText, 0), 0);
    call(kDup2, open_file(kPacked, kWriteCreateTruncate), 1);
    must("chroot", call(kChroot, address("/disk")));
  });
  const long file = open_file(kPacked, 0);
  const long count = must("read", call(kRead, file, address(arena), kTextBytes));
  constexpr long kHeader = 10;  // with the time of day
  return count > kHeader ? crc32(arena + kHeader, static_cast<size_t>(count - kHeader)) : 0;
}

}  // namespace guest
