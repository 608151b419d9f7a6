// The first process of the benchmark's guest: it takes the name of a workload from the console, runs it in a process of its own and prints
//
//   @ NAME                          before the timed part
//   = NAME CHECKSUM SECONDS NANOSECONDS    after it
//
// "ready" when it starts. The default guest's disk is mounted at /disk for its programs.

#include "system.hpp"
#include "workloads.hpp"

extern "C" {
// What the compiler may call.
void* memcpy(void* to, const void* from, size_t count) {
  for (size_t i = 0; i < count; ++i) static_cast<uint8_t*>(to)[i] = static_cast<const uint8_t*>(from)[i];
  return to;
}
void* memset(void* to, int value, size_t count) {
  for (size_t i = 0; i < count; ++i) static_cast<uint8_t*>(to)[i] = static_cast<uint8_t>(value);
  return to;
}
}

namespace guest {

uint32_t vsyscall = 0;
alignas(4096) uint8_t arena[kArenaBytes];

namespace {

constexpr Workload kWorkloads[] = {
    {"integer_mix", nullptr, integer_mix},
    {"sha256", nullptr, sha256},
    {"pointer_chase", prepare_pointer_chase, pointer_chase},
    {"copy_words", prepare_copies, copy_words},
    {"rep_movs", prepare_copies, rep_movs},
    {"x87_nbody", nullptr, x87_nbody},
    {"sse2_kernel", prepare_sse2, sse2_kernel},
    {"system_calls", nullptr, system_calls},
    {"system_calls_fast", nullptr, system_calls_fast},
    {"fork_exec", nullptr, fork_exec},
    {"pipe_ping_pong", nullptr, pipe_ping_pong},
    {"gzip", prepare_gzip, gzip},
};

/// A line of at most 127 bytes, put together and printed at once.
class Line {
 public:
  Line& text(const char* t) {
    while (*t != 0 && count_ < sizeof(bytes_) - 1) bytes_[count_++] = *t++;
    return *this;
  }
  Line& number(uint32_t value, uint32_t base) {
    char digits[12];
    size_t at = sizeof(digits) - 1;
    digits[at] = 0;
    do digits[--at] = "0123456789abcdef"[value % base];
    while ((value /= base) != 0);
    return text(digits + at);
  }
  ~Line() {
    bytes_[count_] = 0;
    print(bytes_);
  }

 private:
  char bytes_[128];
  size_t count_ = 0;
};

struct Time {
  long seconds = 0, nanoseconds = 0;
};

Time now() {
  constexpr long kMonotonic = 1;
  Time t;
  must("clock_gettime", call(kClockGettime, kMonotonic, address(&t)));
  return t;
}

int run_workload(const char* name) {
  for (const Workload& w : kWorkloads) {
    if (!equal(w.name, name)) continue;
    if (w.prepare != nullptr) w.prepare();
    Line{}.text("@ ").text(name).text("\n");
    const Time start = now();
    const uint32_t checksum = w.run();
    const Time end = now();
    long seconds = end.seconds - start.seconds, nanoseconds = end.nanoseconds - start.nanoseconds;
    if (nanoseconds < 0) --seconds, nanoseconds += 1'000'000'000;
    Line{}.text("= ").text(name).text(" ").number(checksum, 16).text(" ").number(static_cast<uint32_t>(seconds), 10).text(" ")
        .number(static_cast<uint32_t>(nanoseconds), 10).text("\n");
    return 0;
  }
  Line{}.text("failed: no workload is named ").text(name).text("\n");
  return 1;
}

/// One line from the console, without its end.
void read_line(char* line, size_t size) {
  const long count = must("read", call(kRead, 0, address(line), static_cast<long>(size - 1)));
  line[count] = 0;
  for (char* c = line; *c != 0; ++c) {
    if (*c == '\n' || *c == '\r') *c = 0;
  }
}

[[noreturn]] void serve() {
  call(kMkdir, address("/dev"), 0755);
  must("mount of /dev", call(kMount, address("devtmpfs"), address("/dev"), address("devtmpfs")));
  call(kMkdir, address("/disk"), 0755);
  must("mount of the disk", call(kMount, address("/dev/sda"), address("/disk"), address("ext2"), 1));
  print("ready\n");
  for (;;) {
    char line[64];
    read_line(line, sizeof(line));
    if (line[0] == 0) continue;
    const char* arguments[] = {"/init", line, nullptr};
    run_program("/init", arguments, [] {});
  }
}

}  // namespace

/// `stack` as the kernel leaves it: the number of arguments, the arguments, 0, the environment, 0, the auxiliary vector.
extern "C" [[noreturn]] void start(const long* stack) {
  const long count = stack[0];
  const char* const* arguments = reinterpret_cast<const char* const*>(stack + 1);
  const long* entry = stack + 1 + count + 1;
  while (*entry != 0) ++entry;
  constexpr long kSysinfo = 32;
  for (++entry; entry[0] != 0; entry += 2) {
    if (entry[0] == kSysinfo) vsyscall = static_cast<uint32_t>(entry[1]);
  }
  if (count < 2) serve();
  if (equal(arguments[1], "nothing")) exit(0);
  exit(run_workload(arguments[1]));
}

asm(R"(
  .globl _start
_start:
  mov %esp, %eax
  xor %ebp, %ebp
  and $-16, %esp
  sub $12, %esp
  push %eax
  call start
)");

}  // namespace guest
