// The benchmark programs. Each does a fixed amount of work and returns a checksum of what it computed.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace guest {

struct Workload {
  const char* name;
  void (*prepare)();     // not timed; nullptr when there is nothing to prepare
  uint32_t (*run)();
};

uint32_t integer_mix();
uint32_t sha256();
void prepare_pointer_chase();
uint32_t pointer_chase();
void prepare_copies();
uint32_t copy_words();
uint32_t rep_movs();
uint32_t x87_nbody();
void prepare_sse2();
uint32_t sse2_kernel();
uint32_t system_calls();
uint32_t system_calls_fast();
uint32_t fork_exec();
uint32_t pipe_ping_pong();
void prepare_gzip();
uint32_t gzip();

/// CRC-32 (IEEE 802.3), continued from `crc`, which starts as 0.
uint32_t crc32(const uint8_t* data, size_t count, uint32_t crc = 0);

/// Where the kernel says that its fast system calls are entered, from the auxiliary vector; 0 without them.
extern uint32_t vsyscall;

/// Memory that the programs share: each runs in a process of its own.
inline constexpr size_t kArenaBytes = size_t{16} << 20;
extern uint8_t arena[kArenaBytes];

/// Pseudo-random numbers, the same everywhere (xorshift).
struct Random {
  uint32_t state = 2463534242u;
  uint32_t next() {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
  }
};

}  // namespace guest
