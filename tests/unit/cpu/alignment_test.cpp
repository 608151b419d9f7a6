// Alignment checks. Intel SDM volume 3A, section 6.15 (#AC) and table 6-7.
#include <doctest/doctest.h>

#include "cpu_fixture.hpp"
#include "cpu/simd/vector.hpp"

using namespace tuxarium;
using namespace tuxarium::tests;

namespace {

constexpr std::uint32_t kSomewhere = kData + 0x100;

struct Form {
  std::initializer_list<unsigned> bytes;  // operand at [EBX], or at [ESI] and [EDI]
  unsigned alignment;                     // 1: never checked
};

/// Level 3 with alignment checks on; operands at kSomewhere + offset.
void prepare(Bench& b, const Form& form, std::uint32_t offset, std::uint32_t cr0 = kCr0Am, std::uint32_t flags = kAc, unsigned cpl = 3) {
  b.flat(cpl);
  b.change([&](CpuState& s) {
    s.cr0 |= cr0;
    s.cr4 |= kCr4Osfxsr;
    set_eflags(s, flags | kIopl);
    for (const unsigned r : {kEbx, kEsi, kEdi}) s.gpr[r] = kSomewhere + offset;
    s.gpr[kEcx] = 1;
    s.gpr[kEdx] = 0x80;
  });
  b.poke<std::uint64_t>(kSomewhere, 0);
  b.code(form.bytes);
  b.put(kCode + static_cast<std::uint32_t>(form.bytes.size()), {0xeb, 0xfe});
}

bool checks(const Form& form, std::uint32_t offset, std::uint32_t cr0 = kCr0Am, std::uint32_t flags = kAc, unsigned cpl = 3) {
  Bench b;
  prepare(b, form, offset, cr0, flags, cpl);
  const CpuState before = b.state();
  const Trap t = b.trap(20);
  if (t.vector != kAlignmentCheck) return false;
  CHECK(t.error == 0);
  CHECK(t.eip == kCode);
  for (const unsigned r : {kEax, kEcx, kEdx, kEbx, kEbp, kEsi, kEdi}) CHECK(b.reg(r) == before.gpr[r]);
  return true;
}

}  // namespace

TEST_CASE("each operand has its alignment") {
  const Form kForms[] = {
      {{0x8a, 0x03}, 1},                    // MOV AL, m
      {{0x8b, 0x03}, 4},                    // MOV EAX, m
      {{0x66, 0x8b, 0x03}, 2},              // MOV AX, m
      {{0x89, 0x03}, 4},                    // MOV m, EAX
      {{0xc7, 0x03, 1, 0, 0, 0}, 4},        // MOV m, imm
      {{0x01, 0x03}, 4},                    // ADD m, EAX
      {{0x66, 0x11, 0x03}, 2},              // ADC m, AX
      {{0x3b, 0x03}, 4},                    // CMP EAX, m
      {{0x3b, 0x03, 0x74, 0x00}, 4},        // with a jump behind it
      {{0xff, 0x03}, 4},                    // INC m
      {{0x0f, 0xb7, 0x03}, 2},              // MOVZX EAX, m16
      {{0x0f, 0xb6, 0x03}, 1},              // MOVZX EAX, m8
      {{0xff, 0x33}, 4},                    // PUSH m
      {{0x8f, 0x03}, 4},                    // POP m
      {{0x87, 0x03}, 4},                    // XCHG
      {{0x0f, 0xa3, 0x0b}, 4},              // BT m, ECX
      {{0x0f, 0xab, 0x0b}, 4},              // BTS m, ECX
      {{0x0f, 0xc7, 0x0b}, 8},              // CMPXCHG8B
      {{0x62, 0x03}, 4},                    // BOUND
      {{0x0f, 0x01, 0x03}, 4},              // SGDT
      {{0xa5}, 4},                          // MOVSD
      {{0xf3, 0xa5}, 4},                    // REP MOVSD
      {{0x66, 0xab}, 2},                    // STOSW
      {{0xf3, 0xab}, 4},                    // REP STOSD
      {{0xa7}, 4},                          // CMPSD
      {{0xf2, 0xaf}, 4},                    // REPNE SCASD
      {{0xad}, 4},                          // LODSD
      {{0x6d}, 4},                          // INSD
      {{0x6f}, 4},                          // OUTSD
      {{0xd9, 0x03}, 4},                    // FLD m32
      {{0xdd, 0x03}, 8},                    // FLD m64
      {{0xdb, 0x2b}, 8},                    // FLD m80
      {{0xdf, 0x03}, 2},                    // FILD m16
      {{0xdf, 0x2b}, 8},                    // FILD m64
      {{0xdf, 0x23}, 8},                    // FBLD
      {{0xd9, 0x2b}, 2},                    // FLDCW
      {{0xd9, 0x3b}, 2},                    // FNSTCW
      {{0xd9, 0x33}, 4},                    // FNSTENV
      {{0x66, 0xd9, 0x33}, 2},
      {{0xdd, 0x33}, 4},                    // FNSAVE
      {{0x0f, 0x6f, 0x03}, 8},              // MOVQ MM0, m
      {{0x0f, 0x6e, 0x03}, 4},              // MOVD MM0, m
      {{0x0f, 0x7f, 0x03}, 8},              // MOVQ m, MM0
      {{0x0f, 0xef, 0x03}, 8},              // PXOR MM0, m
  };
  for (const Form& form : kForms) {
    CAPTURE(*form.bytes.begin());
    CAPTURE(*(form.bytes.end() - 1));
    for (std::uint32_t offset = 0; offset < 16; ++offset) {
      CAPTURE(offset);
      CHECK(checks(form, offset) == (offset % form.alignment != 0));
    }
  }
}

TEST_CASE("SSE: scalars as integers, 16 bytes by #GP or not at all") {
  if (!simd::kHostHasSse2) return;
  const Form kForms[] = {{{0xf3, 0x0f, 0x10, 0x03}, 4}, {{0xf2, 0x0f, 0x10, 0x03}, 8}, {{0x0f, 0x13, 0x03}, 8}, {{0x0f, 0xae, 0x1b}, 4},
                         {{0x0f, 0x10, 0x03}, 1},       {{0xf3, 0x0f, 0x7f, 0x03}, 1}, {{0x0f, 0x28, 0x03}, 1}};
  for (const Form& form : kForms) {
    CAPTURE(*(form.bytes.end() - 2));
    for (std::uint32_t offset = 0; offset < 16; ++offset) CHECK(checks(form, offset) == (offset % form.alignment != 0));
  }
  Bench b;
  prepare(b, {{0x0f, 0x28, 0x03}, 16}, 8);
  CHECK(b.trap(20).vector == kGeneralProtection);
}

TEST_CASE("AC, AM and level 3 are all needed") {
  const Form load{{0x8b, 0x03}, 4};
  CHECK(checks(load, 1));
  CHECK_FALSE(checks(load, 1, 0));
  CHECK_FALSE(checks(load, 1, kCr0Am, 0));
  CHECK_FALSE(checks(load, 1, kCr0Am, kAc, 0));
}

TEST_CASE("the stack is checked too") {
  for (const auto& bytes : {std::initializer_list<unsigned>{0x50}, {0x58}, {0x60}, {0xe8, 0, 0, 0, 0}, {0xc3}, {0x6a, 0}, {0x9c}, {0xc8, 0, 0, 0}, {0x68, 1, 0, 0, 0}}) {
    Bench b;
    prepare(b, {bytes, 4}, 0);
    b.set(kEsp, 0xaff2);
    CAPTURE(*bytes.begin());
    const Trap t = b.trap(20);
    CHECK(t.vector == kAlignmentCheck);
    CHECK(t.esp == 0xaff2);
  }
}

TEST_CASE("what an instruction would only write to is checked too") {
  Bench b;
  prepare(b, {{0xc8, 0x0e, 0, 0}, 4}, 0);  // ENTER, whose frame ends at an odd place
  b.set(kEsp, 0xaff0);
  CHECK(b.trap(20).vector == kAlignmentCheck);
  // FNINIT; FLDCW [ESI], all unmasked; FSTP dword [EBX + 1] of an empty register.
  prepare(b, {{0xdb, 0xe3, 0xd9, 0x2e, 0xd9, 0x5b, 0x01}, 4}, 0);
  b.poke<std::uint16_t>(kSomewhere, 0x0340);
  const Trap t = b.trap(20);
  CHECK(t.vector == kAlignmentCheck);
  CHECK(t.eip == kCode + 4);
}

TEST_CASE("POPF turns the checks on and off") {
  Bench b;
  b.flat(3);
  b.change([](CpuState& s) {
    s.cr0 |= kCr0Am;
    s.gpr[kEbx] = kSomewhere + 1;
  });
  // mov eax,[ebx]; push 0x40002; popf; mov eax,[ebx]
  b.code({0x8b, 0x03, 0x68, 0x02, 0x00, 0x04, 0x00, 0x9d, 0x8b, 0x03});
  const Trap t = b.trap();
  CHECK(t.vector == kAlignmentCheck);
  CHECK(t.eip == kCode + 8);
  CHECK((t.eflags & kAc) != 0);
  // The handler at level 0 is not checked, and IRET brings the checks back; with AC cleared on its stack they are off.
  b.put(kStubs + kAlignmentCheck * 16, {0x8b, 0x03, 0x83, 0xc4, 0x04, 0x81, 0x64, 0x24, 0x08, 0xff, 0xff, 0xfb, 0xff, 0xcf});
  b.put(kCode + 10, {0xeb, 0xfe});
  b.go(kStubs + kAlignmentCheck * 16);
  b.step(8);
  CHECK(b.state().cpl == 3);
  CHECK(b.eip() == kCode + 10);
}

TEST_CASE("code need not be aligned, and runs across a page end while alignment is checked") {
  Bench b;
  prepare(b, {{0x90}, 1}, 0);
  b.put(kCode + 0xffd, {0xb8, 0x78, 0x56, 0x34, 0x12, 0xeb, 0xfe});
  b.go(kCode + 0xffd);
  CHECK(b.trap(30).vector == -1);
  CHECK(b.reg(kEax) == 0x12345678);
}
