// What the kernel does for programs: system calls both ways, processes made and ended, a byte to and fro between two of them.

#include "system.hpp"
#include "workloads.hpp"

namespace guest {

uint32_t system_calls() {
  uint32_t sum = 0;
  for (int i = 0; i < 400'000; ++i) sum += static_cast<uint32_t>(call(kGetppid));
  return sum;
}

/// By the kernel's own entry: SYSENTER where the processor has it.
uint32_t system_calls_fast() {
  if (vsyscall == 0) return system_calls();
  uint32_t sum = 0;
  for (int i = 0; i < 400'000; ++i) {
    uint32_t parent = kGetppid;
    asm volatile("call *%1" : "+a"(parent) : "m"(vsyscall) : "memory", "ecx", "edx");
    sum += parent;
  }
  return sum;
}

uint32_t fork_exec() {
  const char* arguments[] = {"/init", "nothing", nullptr};
  for (int i = 0; i < 250; ++i) run_program("/init", arguments, [] {});
  return 250;
}

uint32_t pipe_ping_pong() {
  constexpr int kTurns = 10'000;
  int there[2], back[2];
  must("pipe", call(kPipe, address(there)));
  must("pipe", call(kPipe, address(back)));
  const long child = must("fork", call(kFork));
  uint8_t ball = 0;
  if (child == 0) {
    for (int i = 0; i < kTurns; ++i) {
      must("read", call(kRead, there[0], address(&ball), 1));
      ball = static_cast<uint8_t>(ball * 5 + 1);
      must("write", call(kWrite, back[1], address(&ball), 1));
    }
    exit(0);
  }
  uint32_t sum = 0;
  for (int i = 0; i < kTurns; ++i) {
    must("write", call(kWrite, there[1], address(&ball), 1));
    must("read", call(kRead, back[0], address(&ball), 1));
    sum = sum * 3 + ball;
  }
  must("waitpid", call(kWaitpid, child));
  return sum;
}

}  // namespace guest
