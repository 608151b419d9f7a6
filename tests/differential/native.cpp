// The way into the host's 32-bit mode and back. Intel SDM volume 3A, section 5.8.5.1 (far transfers between 64-bit and compatibility mode),
// volume 1, section 3.1.
//
// The driver is a 64-bit program. IRETQ loads SS:ESP, EFLAGS and CS:EIP of the case at once, with the other registers loaded before; the
// instruction is followed by a far jump back to 64-bit code, where all registers are still as the instruction left them. Exceptions arrive
// as signals, with the registers in the signal's context; the handler goes back to the driver without returning to the case. So a case
// costs no system call unless it faults, and there is nothing below 4 GiB but the sandbox: 32-bit code cannot reach the driver.
#include "native.hpp"

#if defined(__x86_64__) && defined(__linux__)

#include <asm/ldt.h>
#include <asm/prctl.h>
#include <cpuid.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace {

/// What the assembly and the signal handler share with run(). The offsets are written out in the assembly.
struct Area {
  std::uint32_t gpr[8];           // 0
  std::uint32_t eip, eflags;      // 32, 36
  std::uint32_t segment[6];       // 40
  std::uint32_t use_fpu;          // 64
  volatile std::uint32_t running; // 68
  std::uint32_t landed_at;        // 72: 0 until the case comes back by a landing
  std::uint32_t has_fsgsbase;     // 76
  std::uint64_t host_rsp;         // 80
  std::uint64_t host_fs_base;     // 88
  std::uint32_t out_gpr[8];       // 96
  std::uint64_t out_eflags;       // 128
  std::uint32_t out_segment[6];   // 136
  std::uint32_t vector, error, cr2, out_eip;  // 160
  std::uint64_t frame_end;        // 176: where IRETQ's frame is built
  alignas(64) std::uint8_t fx[512];
  std::uint8_t out_fx[512];
  std::uint32_t env[8];           // 1216: FLDENV's and FNSTENV's image
  std::uint32_t out_env[8];       // 1248
};
static_assert(offsetof(Area, running) == 68 && offsetof(Area, host_rsp) == 80 && offsetof(Area, out_gpr) == 96);
static_assert(offsetof(Area, out_eflags) == 128 && offsetof(Area, out_segment) == 136 && offsetof(Area, frame_end) == 176);
static_assert(offsetof(Area, fx) == 192 && offsetof(Area, out_fx) == 704 && offsetof(Area, env) == 1216 && offsetof(Area, out_env) == 1248);

constexpr std::uint32_t kInterrupted = 0x101;

}  // namespace

extern "C" {
[[gnu::visibility("hidden")]] Area tuxarium_native_area{};
[[gnu::visibility("hidden")]] void tuxarium_native_enter();
[[gnu::visibility("hidden")]] void tuxarium_native_landed();
[[gnu::visibility("hidden")]] void tuxarium_native_signal(int, siginfo_t*, void*);
[[gnu::visibility("hidden"), gnu::used]] int tuxarium_native_fault(int number, siginfo_t* info, void* context);
}

asm(R"(
.text
.hidden tuxarium_native_area

# ES, DS, FS and GS as the case left them. Changes EAX.
.macro tuxarium_save_segments
  movl %es, %eax
  movl %eax, tuxarium_native_area+136(%rip)
  movl %ds, %eax
  movl %eax, tuxarium_native_area+148(%rip)
  movl %fs, %eax
  movl %eax, tuxarium_native_area+152(%rip)
  movl %gs, %eax
  movl %eax, tuxarium_native_area+156(%rip)
.endm

.globl tuxarium_native_enter
.hidden tuxarium_native_enter
tuxarium_native_enter:
  pushq %rbx
  pushq %rbp
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, tuxarium_native_area+80(%rip)
  movl $1, tuxarium_native_area+68(%rip)
  movl tuxarium_native_area+40(%rip), %eax
  movl %eax, %es
  movl tuxarium_native_area+52(%rip), %eax
  movl %eax, %ds
  movl tuxarium_native_area+56(%rip), %eax
  movl %eax, %fs
  movl tuxarium_native_area+60(%rip), %eax
  movl %eax, %gs
  cmpl $0, tuxarium_native_area+64(%rip)
  je 1f
  fxrstor tuxarium_native_area+192(%rip)
  fldenv tuxarium_native_area+1216(%rip)
1:
  movq tuxarium_native_area+176(%rip), %rsp
  movl tuxarium_native_area+48(%rip), %eax
  pushq %rax
  movl tuxarium_native_area+16(%rip), %eax
  pushq %rax
  movl tuxarium_native_area+36(%rip), %eax
  pushq %rax
  movl tuxarium_native_area+44(%rip), %eax
  pushq %rax
  movl tuxarium_native_area+32(%rip), %eax
  pushq %rax
  movl tuxarium_native_area+0(%rip), %eax
  movl tuxarium_native_area+4(%rip), %ecx
  movl tuxarium_native_area+8(%rip), %edx
  movl tuxarium_native_area+12(%rip), %ebx
  movl tuxarium_native_area+20(%rip), %ebp
  movl tuxarium_native_area+24(%rip), %esi
  movl tuxarium_native_area+28(%rip), %edi
  iretq

.globl tuxarium_native_landed
.hidden tuxarium_native_landed
tuxarium_native_landed:
  movl $1, tuxarium_native_area+72(%rip)
  movl %eax, tuxarium_native_area+96(%rip)
  movl %ecx, tuxarium_native_area+100(%rip)
  movl %edx, tuxarium_native_area+104(%rip)
  movl %ebx, tuxarium_native_area+108(%rip)
  movl %esp, tuxarium_native_area+112(%rip)
  movl %ebp, tuxarium_native_area+116(%rip)
  movl %esi, tuxarium_native_area+120(%rip)
  movl %edi, tuxarium_native_area+124(%rip)
  movq tuxarium_native_area+80(%rip), %rsp
  pushfq
  popq tuxarium_native_area+128(%rip)
  pushq $2
  popfq
  movl %ss, %eax
  movl %eax, tuxarium_native_area+144(%rip)
  tuxarium_save_segments
  cmpl $0, tuxarium_native_area+64(%rip)
  je 2f
  fxsave tuxarium_native_area+704(%rip)
  fnstenv tuxarium_native_area+1248(%rip)
2:

tuxarium_native_leave:
  movq tuxarium_native_area+80(%rip), %rsp
  movl $0x2b, %eax
  movl %eax, %ss
  call tuxarium_native_own_segments
  cmpl $0, tuxarium_native_area+64(%rip)
  je 3f
  fninit
  pushq $0x1f80
  ldmxcsr (%rsp)
  popq %rax
3:
  movl $0, tuxarium_native_area+68(%rip)
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbp
  popq %rbx
  ret

# The driver's DS to GS, and FS's base, which is the C library's. Changes RAX, RCX, RSI, RDI and R11.
tuxarium_native_own_segments:
  xorl %eax, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %fs
  movl %eax, %gs
  movq tuxarium_native_area+88(%rip), %rsi
  cmpl $0, tuxarium_native_area+76(%rip)
  je 4f
  wrfsbase %rsi
  ret
4:
  movl $158, %eax
  movl $0x1002, %edi
  syscall
  ret

.globl tuxarium_native_signal
.hidden tuxarium_native_signal
tuxarium_native_signal:
  pushq $2
  popfq
  cmpl $0, tuxarium_native_area+68(%rip)
  je 5f
  tuxarium_save_segments
  movl %edi, %r12d
  movq %rsi, %r13
  call tuxarium_native_own_segments
  movl %r12d, %edi
  movq %r13, %rsi
5:
  subq $8, %rsp
  call tuxarium_native_fault
  addq $8, %rsp
  testl %eax, %eax
  jne tuxarium_native_leave
  ret
)");

int tuxarium_native_fault(int number, siginfo_t*, void* context) {
  Area& area = tuxarium_native_area;
  const auto* u = static_cast<const ucontext_t*>(context);
  const greg_t* regs = u->uc_mcontext.gregs;
  const auto selectors = static_cast<std::uint64_t>(regs[REG_CSGSFS]);
  const auto cs = static_cast<std::uint16_t>(selectors);
  if (number == SIGALRM) {
    if (area.running == 0) return 0;
    area.vector = kInterrupted;
    area.landed_at = 0;
    return 1;
  }
  if (area.running != 0 && number == SIGTRAP && static_cast<std::uint64_t>(regs[REG_RIP]) == tuxarium::differential::kGateBase) {
    area.vector = tuxarium::differential::kTraced;
    return 1;
  }
  if (area.running == 0 || cs == tuxarium::differential::kUserCode64) {
    // The driver's own mistake, or a case that could not be entered: let it die of it.
    char line[120];
    const int length = std::snprintf(line, sizeof line, "differential: signal %d in 64-bit code at %llx, error code %llx\n", number,
                                     static_cast<unsigned long long>(regs[REG_RIP]), static_cast<unsigned long long>(regs[REG_ERR]));
    if (write(STDERR_FILENO, line, static_cast<std::size_t>(length)) < 0) _exit(3);
    signal(number, SIG_DFL);
    return 0;
  }
  static constexpr int kOrder[8] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI};
  for (unsigned r = 0; r < 8; ++r) area.out_gpr[r] = static_cast<std::uint32_t>(regs[kOrder[r]]);
  area.out_eip = static_cast<std::uint32_t>(regs[REG_RIP]);
  area.out_eflags = static_cast<std::uint64_t>(regs[REG_EFL]);
  area.out_segment[1] = cs;
  area.out_segment[2] = static_cast<std::uint16_t>(selectors >> 48);
  area.vector = static_cast<std::uint32_t>(regs[REG_TRAPNO]);
  area.error = static_cast<std::uint32_t>(regs[REG_ERR]);
  area.cr2 = static_cast<std::uint32_t>(regs[REG_CR2]);
  if (area.use_fpu != 0) std::memcpy(area.out_fx, u->uc_mcontext.fpregs, sizeof area.out_fx);
  return 1;
}

namespace tuxarium::differential {

namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGALRM};
/// Bits 16 to 31 are those of the interpreter's supervisor stack: IRET to a 16-bit stack leaves them in ESP.
constexpr std::uintptr_t kFramePage = std::uintptr_t{0x7e00} << 32 | kSupervisorBase;
constexpr std::uint32_t kFileSize = kCodeSize + kGateSize + kDataSize;

bool load_local_descriptors() {
  for (unsigned n = 0; n < kLocalEntries; ++n) {
    const LocalDescriptor& d = kLocalDescriptors[n];
    user_desc u{};
    u.entry_number = n;
    u.base_addr = d.base;
    u.limit = d.limit;
    u.seg_32bit = d.big;
    u.contents = d.contents & 3u;
    u.read_exec_only = d.restricted;
    u.limit_in_pages = d.pages;
    u.seg_not_present = !d.present;
    if (syscall(SYS_modify_ldt, 0x11, &u, sizeof u) != 0) return false;
  }
  return true;
}

/// Nothing else may be where 32-bit code reaches: not the driver, if it is linked to a fixed address, and not a sanitizer's memory.
bool low_memory_is_empty() {
  std::ifstream maps{"/proc/self/maps"};
  std::uint64_t lowest = 0;
  return maps && (maps >> std::hex >> lowest) && lowest >> 32 != 0;  // in ascending order
}

bool map_view(int file, std::uint32_t address, std::uint32_t offset, std::uint32_t size, int protection) {
  void* wanted = reinterpret_cast<void*>(std::uintptr_t{address});
  return mmap(wanted, size, protection, MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_POPULATE, file, offset) == wanted;
}

}  // namespace

struct Native::Host {
  /// All of the sandbox as the driver sees it, writable: code, gate, data.
  std::uint8_t* memory = nullptr;
  std::uint8_t* stack = nullptr;
  std::uint32_t dirty_at = 0, dirty_count = 0;

  std::uint8_t* code() { return memory; }
  std::uint8_t* gate() { return memory + kCodeSize; }
  std::uint8_t* data() { return memory + kCodeSize + kGateSize; }

  ~Host() {
    if (memory != nullptr) {
      itimerval off{};
      setitimer(ITIMER_REAL, &off, nullptr);
      for (const int number : kSignals) signal(number, SIG_DFL);
      munmap(memory, kFileSize);
      munmap(reinterpret_cast<void*>(kFramePage), kPage);
      munmap(reinterpret_cast<void*>(std::uintptr_t{kCodeBase}), kCodeSize);
      munmap(reinterpret_cast<void*>(std::uintptr_t{kGateBase}), kGateSize);
      munmap(reinterpret_cast<void*>(std::uintptr_t{kDataBase}), kDataSize);
    }
    if (stack != nullptr) {
      stack_t none{};
      none.ss_flags = SS_DISABLE;
      sigaltstack(&none, nullptr);
      munmap(stack, kStackSize);
    }
  }

  static constexpr std::size_t kStackSize = 64 * 1024;

  const char* map() {
    const int file = memfd_create("differential", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, kFileSize) != 0) return "no shared memory for the sandbox";
    void* all = mmap(nullptr, kFileSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
    if (all == MAP_FAILED) return "no memory for the sandbox";
    memory = static_cast<std::uint8_t*>(all);
    std::memset(code(), kInt3, kCodeSize + kGateSize);
    const bool mapped = map_view(file, kCodeBase, 0, kCodeSize, PROT_READ | PROT_EXEC) &&
                        map_view(file, kGateBase, kCodeSize, kGateSize, PROT_READ | PROT_EXEC) &&
                        map_view(file, kDataBase, kCodeSize + kGateSize, kWritableSize, PROT_READ | PROT_WRITE) &&
                        map_view(file, kDataBase + kWritableSize, kCodeSize + kGateSize + kWritableSize, kDataSize - kWritableSize, PROT_READ);
    close(file);
    if (!mapped) return "the sandbox's addresses below 4 GiB are taken";
    void* frame = mmap(reinterpret_cast<void*>(kFramePage), kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (frame != reinterpret_cast<void*>(kFramePage)) return "no memory for the frame of IRET";
    tuxarium_native_area.frame_end = kFramePage + kPage;
    std::memcpy(data(), memory_pattern().data(), kDataSize);
    // jmp *(the quadword behind), in 64-bit code; aligned, because the case may have set AC.
    constexpr std::uint8_t kJump[8] = {0xff, 0x25, 2, 0, 0, 0};
    const auto target = reinterpret_cast<std::uint64_t>(&tuxarium_native_landed);
    std::memcpy(gate(), kJump, sizeof kJump);
    std::memcpy(gate() + sizeof kJump, &target, sizeof target);
    return nullptr;
  }

  const char* catch_signals() {
    void* area = mmap(nullptr, kStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED) return "no memory for the signal stack";
    stack = static_cast<std::uint8_t*>(area);
    stack_t alternate{};
    alternate.ss_sp = stack;
    alternate.ss_size = kStackSize;
    if (sigaltstack(&alternate, nullptr) != 0) return "no signal stack";
    struct sigaction action {};
    action.sa_sigaction = tuxarium_native_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    for (const int number : kSignals) sigaction(number, &action, nullptr);
    itimerval often{};
    often.it_interval.tv_sec = often.it_value.tv_sec = 2;
    setitimer(ITIMER_REAL, &often, nullptr);
    return nullptr;
  }

  void write_code(const Case& c) {
    if (dirty_count != 0) std::memset(code() + dirty_at, kInt3, dirty_count);
    const std::span<const std::uint8_t> back = landing(c.code32);
    dirty_at = c.code_address - kCodeBase;
    dirty_count = std::min<std::uint32_t>(c.length + static_cast<std::uint32_t>(back.size()), kCodeSize - dirty_at);
    std::uint8_t buffer[80];
    std::copy_n(c.code.data(), c.length, buffer);
    std::copy(back.begin(), back.end(), buffer + c.length);
    std::memcpy(code() + dirty_at, buffer, dirty_count);
  }

  /// Some processors keep the pointers out of FXSAVE images unless an exception waits: FLDENV and FNSTENV have them always.
  static void load_fpu(const Case& c) {
    Area& area = tuxarium_native_area;
    std::memcpy(area.fx, c.fx.data(), kFxImage);
    const auto word = [&](std::size_t offset) { return static_cast<std::uint32_t>(c.fx[offset] | c.fx[offset + 1] << 8); };
    const auto dword = [&](std::size_t offset) { return word(offset) | word(offset + 2) << 16; };
    std::uint32_t tags = 0;
    for (unsigned n = 0; n < 8; ++n) tags |= (c.fx[4] >> n & 1) != 0 ? 0 : 3u << 2 * n;
    const std::uint32_t image[8] = {word(0), word(2), tags, dword(8), word(12) | word(6) << 16, dword(16), word(20), 0};
    std::copy_n(image, 8, area.env);
    // FLDENV waits for exceptions of the state before: leave them to its image.
    area.fx[2] = 0;
    area.fx[3] &= 0x7f;
  }

  /// The kernel's image of a case that faulted has no pointers on such processors: they are left as they were.
  static void store_fpu(const Case& c, bool landed, FxImage& fx) {
    const Area& area = tuxarium_native_area;
    std::memcpy(fx.data(), area.out_fx, kFxImage);
    std::memcpy(fx.data() + 28, c.fx.data() + 28, 4);  // MXCSR's mask
    std::memcpy(fx.data() + 6, c.fx.data() + 6, 18);
    if (!landed) return;
    const auto opcode = static_cast<std::uint16_t>(area.out_env[4] >> 16 & 0x7ff), selector = static_cast<std::uint16_t>(area.out_env[4]);
    std::memcpy(fx.data() + 6, &opcode, 2);
    std::memcpy(fx.data() + 8, &area.out_env[3], 4);
    std::memcpy(fx.data() + 12, &selector, 2);
    std::memcpy(fx.data() + 16, &area.out_env[5], 4);
    std::memcpy(fx.data() + 20, &area.out_env[6], 2);
  }

  void load(const Case& c) {
    Area& area = tuxarium_native_area;
    std::copy(c.gpr.begin(), c.gpr.end(), area.gpr);
    area.eip = c.eip();
    area.eflags = c.eflags | 0x202;
    std::copy(c.segment.begin(), c.segment.end(), area.segment);
    area.use_fpu = c.fpu ? 1 : 0;
    if (c.fpu) load_fpu(c);
    area.landed_at = 0;
    initial_memory(c, std::span<std::uint8_t, kWritableSize>{data(), kWritableSize});
  }

  void store(const Case& c, Outcome& out) {
    const Area& area = tuxarium_native_area;
    const bool landed = area.landed_at != 0;
    std::copy_n(area.out_gpr, 8, out.gpr.begin());
    for (unsigned n = 0; n < 6; ++n) out.segment[n] = static_cast<std::uint16_t>(area.out_segment[n]);
    out.eflags = static_cast<std::uint32_t>(area.out_eflags);
    out.eip = landed ? c.eip() + c.length : area.out_eip;
    if (landed) out.segment[1] = c.segment[1];
    out.vector = landed ? kCompleted : static_cast<int>(area.vector);
    out.error = landed ? 0 : area.error;
    out.cr2 = !landed && area.vector == 14 ? area.cr2 : 0;
    if (c.fpu) store_fpu(c, landed, out.fx);
    std::memcpy(out.memory.data(), data(), kWritableSize);
  }
};

Native::Native(std::unique_ptr<Host> host) : host_{std::move(host)} {}
Native::~Native() = default;

std::unique_ptr<Native> Native::create(std::string& why_not) {
  if (!low_memory_is_empty()) {
    why_not = "this process has memory of its own below 4 GiB (a sanitizer, or a program at a fixed address)";
    return nullptr;
  }
  auto host = std::make_unique<Host>();
  if (!load_local_descriptors()) {
    why_not = "the host's kernel does not give a process segments of its own";
    return nullptr;
  }
  if (const char* reason = host->map(); reason != nullptr) {
    why_not = reason;
    return nullptr;
  }
  if (const char* reason = host->catch_signals(); reason != nullptr) {
    why_not = reason;
    return nullptr;
  }
  Area& area = tuxarium_native_area;
  syscall(SYS_arch_prctl, ARCH_GET_FS, &area.host_fs_base);
  area.has_fsgsbase = static_cast<std::uint32_t>(getauxval(AT_HWCAP2) >> 1 & 1);
  return std::unique_ptr<Native>{new Native{std::move(host)}};
}

void Native::run(const Case& c, Outcome& out) {
  Area& area = tuxarium_native_area;
  host_->write_code(c);
  for (unsigned attempt = 0;; ++attempt) {
    host_->load(c);
    tuxarium_native_enter();
    if (area.landed_at != 0 || area.vector != kInterrupted) break;
    if (attempt == 2) {
      out.vector = kHung;
      return;
    }
  }
  host_->store(c, out);
}

std::string host_processor() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(0, &a, &b, &c, &d) == 0) return {};
  char vendor[13] = {};
  std::memcpy(vendor, &b, 4);
  std::memcpy(vendor + 4, &d, 4);
  std::memcpy(vendor + 8, &c, 4);
  __get_cpuid(1, &a, &b, &c, &d);
  const unsigned family = (a >> 8 & 15) + ((a >> 8 & 15) == 15 ? a >> 20 & 255 : 0), model = (a >> 4 & 15) | (a >> 12 & 0xf0);
  char text[40];
  std::snprintf(text, sizeof text, "%s-%u-%u", vendor, family, model);
  return text;
}

}  // namespace tuxarium::differential

#else

namespace tuxarium::differential {

struct Native::Host {};
Native::Native(std::unique_ptr<Host> host) : host_{std::move(host)} {}
Native::~Native() = default;
std::unique_ptr<Native> Native::create(std::string& why_not) {
  why_not = "the host is not an x86-64 Linux";
  return nullptr;
}
void Native::run(const Case&, Outcome&) {}
std::string host_processor() { return {}; }

}  // namespace tuxarium::differential

#endif
