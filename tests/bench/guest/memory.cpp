// A chain of pointers through more memory than any cache of translations covers; copies by words and by REP MOVS.

#include "workloads.hpp"

namespace guest {

namespace {

struct Link {
  Link* next;
  uint32_t number;
  uint32_t unused[14];
};

constexpr uint32_t kLinks = kArenaBytes / sizeof(Link);
constexpr size_t kCopyBytes = size_t{256} << 10;

Link* links() { return reinterpret_cast<Link*>(arena); }
uint32_t* copy_source() { return reinterpret_cast<uint32_t*>(arena); }
uint32_t* copy_target() { return reinterpret_cast<uint32_t*>(arena + kArenaBytes / 2); }

}  // namespace

/// One cycle through all links in random order (Sattolo's shuffle).
void prepare_pointer_chase() {
  Link* link = links();
  for (uint32_t i = 0; i < kLinks; ++i) link[i].number = i;
  Random random;
  for (uint32_t i = kLinks - 1; i > 0; --i) {
    const uint32_t other = random.next() % i, number = link[i].number;
    link[i].number = link[other].number;
    link[other].number = number;
  }
  for (uint32_t i = 0; i < kLinks; ++i) link[i].next = &link[link[i].number];
}

uint32_t pointer_chase() {
  const Link* link = links();
  uint32_t sum = 0;
  for (int i = 0; i < 8'000'000; ++i) {
    link = link->next;
    sum ^= link->number;
  }
  return sum + static_cast<uint32_t>(link - links());
}

void prepare_copies() {
  Random random;
  for (size_t i = 0; i < kCopyBytes / 4; ++i) copy_source()[i] = random.next(), copy_target()[i] = 0;
}

uint32_t copy_words() {
  for (uint32_t pass = 0; pass < 1200; ++pass) {  // 300 MiB
    const uint32_t* from = copy_source();
    uint32_t* to = copy_target();
    for (size_t i = 0; i < kCopyBytes / 4; ++i) to[i] = from[i];
    copy_source()[pass] += pass;
  }
  return crc32(reinterpret_cast<const uint8_t*>(copy_target()), kCopyBytes);
}

uint32_t rep_movs() {
  for (uint32_t pass = 0; pass < 4800; ++pass) {  // 1.2 GiB
    const uint32_t* from = copy_source();
    uint32_t* to = copy_target();
    size_t count = kCopyBytes / 4;
    asm volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(count) : : "memory");
    copy_source()[pass] += pass;
  }
  return crc32(reinterpret_cast<const uint8_t*>(copy_target()), kCopyBytes);
}

}  // namespace guest
