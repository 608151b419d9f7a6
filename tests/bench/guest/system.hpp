// What a benchmark program knows of the guest's kernel: system calls of 32-bit Linux by INT 80h, without a C library, so that the host's
// compiler alone builds it.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace guest {

enum SystemCall : long {
  kExit = 1, kFork = 2, kRead = 3, kWrite = 4, kOpen = 5, kClose = 6, kWaitpid = 7, kExecve = 11, kMount = 21, kMkdir = 39, kPipe = 42,
  kChroot = 61, kDup2 = 63, kGetppid = 64, kClockGettime = 265,
};

inline long call(SystemCall number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
  long result;
  asm volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
  return result;
}

inline long address(const void* pointer) { return reinterpret_cast<long>(pointer); }

[[noreturn]] inline void exit(int status) {
  for (;;) call(kExit, status);
}

inline size_t length(const char* text) {
  size_t n = 0;
  while (text[n] != 0) ++n;
  return n;
}

inline bool equal(const char* a, const char* b) {
  while (*a != 0 && *a == *b) ++a, ++b;
  return *a == *b;
}

inline void print(const char* text) { call(kWrite, 1, address(text), static_cast<long>(length(text))); }

/// Ends the program with a sentence when `result` is an error of the kernel's.
inline long must(const char* what, long result) {
  if (result >= 0) return result;
  print("failed: "), print(what), print("\n");
  exit(1);
}

/// Starts `path` with `arguments` in a new process and waits for its end. `before` runs in that process first.
template <class Before>
void run_program(const char* path, const char* const* arguments, Before before) {
  const long child = must("fork", call(kFork));
  if (child == 0) {
    before();
    const char* environment[] = {nullptr};
    call(kExecve, address(path), address(arguments), address(environment));
    print("failed: execve\n");
    exit(1);
  }
  int status = 1;
  must("waitpid", call(kWaitpid, child, address(&status)));
  if (status != 0) print("failed: a program that was started\n"), exit(1);
}

}  // namespace guest
