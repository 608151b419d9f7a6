// MMX and SSE as a system sees them: who may execute them, which exception comes first, what a fault leaves alone, and the FXSAVE image.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <vector>

#include "cpu/simd/host_mxcsr.hpp"
#include "cpu/simd/integer_operations.hpp"
#include "cpu_fixture.hpp"
#include "encoding.hpp"

using namespace tuxarium;
using namespace tuxarium::tests;

namespace {

using Bytes = std::vector<std::uint8_t>;

// One instruction of each kind of availability.
const Bytes kPaddbMmx{0x0f, 0xfc, 0xc1};                  // paddb mm0, mm1
const Bytes kPaddbXmm{0x66, 0x0f, 0xfc, 0xc1};            // paddb xmm0, xmm1
const Bytes kAddps{0x0f, 0x58, 0xc1};                     // addps xmm0, xmm1
const Bytes kDivss{0xf3, 0x0f, 0x5e, 0xc1};               // divss xmm0, xmm1
const Bytes kCvtps2pi{0x0f, 0x2d, 0xc1};                  // cvtps2pi mm0, xmm1
const Bytes kEmms{0x0f, 0x77};
const Bytes kFxsave{0x0f, 0xae, 0x06};                    // fxsave [esi]
const Bytes kFxrstor{0x0f, 0xae, 0x0e};                   // fxrstor [esi]
const Bytes kLdmxcsr{0x0f, 0xae, 0x16};                   // ldmxcsr [esi]
const Bytes kStmxcsr{0x0f, 0xae, 0x1e};                   // stmxcsr [esi]
const Bytes kMovnti{0x0f, 0xc3, 0x06};                    // movnti [esi], eax
const Bytes kSfence{0x0f, 0xae, 0xf8};
const Bytes kMovapsLoad{0x0f, 0x28, 0x06};                // movaps xmm0, [esi]
const Bytes kMovapsStore{0x0f, 0x29, 0x06};               // movaps [esi], xmm0
const Bytes kMovupsLoad{0x0f, 0x10, 0x06};                // movups xmm0, [esi]
const Bytes kMovupsStore{0x0f, 0x11, 0x06};               // movups [esi], xmm0
const Bytes kMovdStore{0x66, 0x0f, 0x7e, 0x06};           // movd [esi], xmm0
const Bytes kMaskmovdqu{0x66, 0x0f, 0xf7, 0xc1};          // maskmovdqu xmm0, xmm1

class SimdBench : public Bench {
 public:
  explicit SimdBench(Model model = Model::full) : Bench{model} {
    flat();
    change([](CpuState& s) {
      s.cr4 |= kCr4Osfxsr | kCr4Osxmmexcpt;
      s.gpr[kEsi] = s.gpr[kEdi] = kData;
    });
  }
  /// Executes one instruction; the exception that it raised.
  Trap execute(const Bytes& bytes) {
    put(kCode, bytes);
    poke<std::uint8_t>(kCode + static_cast<std::uint32_t>(bytes.size()), 0xf4);
    go(kCode);
    return trap();
  }
  void set_cr0(std::uint32_t bits) {
    change([&](CpuState& s) { s.cr0 |= bits; });
  }
  void set_xmm(unsigned number, std::uint64_t low, std::uint64_t high) {
    change([&](CpuState& s) { s.xmm[number] = {low, high}; });
  }
  std::array<std::uint64_t, 2> xmm(unsigned number) const { return cpu.state().xmm[number]; }
  void set_mxcsr(std::uint32_t value) {
    change([&](CpuState& s) { s.mxcsr = value; });
  }
};

constexpr std::uint64_t kOnes = 0x3f8000003f800000u;  // 1.0f twice
constexpr std::uint64_t kThree = 0x40400000u;

}  // namespace

TEST_CASE("CR0.EM, CR4.OSFXSR and CR0.TS say who may execute SIMD instructions") {
  struct Row {
    Bytes bytes;
    int em, osfxsr, ts;  // vector with EM set, with OSFXSR clear, with TS set
  };
  const Row rows[] = {{kPaddbMmx, 6, -1, 7}, {kEmms, 6, -1, 7},   {kPaddbXmm, 6, 6, 7}, {kAddps, 6, 6, 7},    {kDivss, 6, 6, 7},
                      {kCvtps2pi, 6, 6, 7},  {kMovapsLoad, 6, 6, 7}, {kMovapsStore, 6, 6, 7}, {kLdmxcsr, 6, 6, 7}, {kStmxcsr, 6, 6, 7},
                      {kFxsave, 7, -1, 7},   {kFxrstor, 7, -1, 7}, {kMovnti, -1, -1, -1}, {kSfence, -1, -1, -1}, {kMaskmovdqu, 6, 6, 7}};
  for (const Row& row : rows) {
    CAPTURE(int{row.bytes[1]});
    CAPTURE(int{row.bytes[2]});
    SimdBench em, osfxsr, ts, both;
    em.set_cr0(kCr0Em);
    CHECK(em.execute(row.bytes).vector == row.em);
    osfxsr.change([](CpuState& s) { s.cr4 &= ~kCr4Osfxsr; });
    CHECK(osfxsr.execute(row.bytes).vector == row.osfxsr);
    ts.set_cr0(kCr0Ts);
    CHECK(ts.execute(row.bytes).vector == row.ts);
    both.set_cr0(kCr0Em | kCr0Ts);
    CHECK(both.execute(row.bytes).vector == row.em);
  }
}

TEST_CASE("an x87 error that waits stops MMX but not SSE") {
  SimdBench b;
  // FNINIT; unmask zero divide; FLD1; FLDZ; FDIVP.
  b.execute({0xdb, 0xe3, 0x66, 0xc7, 0x06, 0x7b, 0x03, 0xd9, 0x2e, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9});
  CHECK(b.execute(kAddps).vector == -1);
  CHECK(b.execute(kPaddbMmx).vector == kFpuError);
  CHECK(b.execute(kEmms).vector == kFpuError);
  CHECK(b.execute(kCvtps2pi).vector == kFpuError);
  b.change([](CpuState& s) { s.gpr[kEsi] = kData + 0x100; });
  CHECK(b.execute(kFxsave).vector == -1);
}

TEST_CASE("the jslinux model has none of it") {
  for (const Bytes& bytes : {kPaddbMmx, kPaddbXmm, kAddps, kEmms, kFxsave, kLdmxcsr, kMovnti, kSfence, kMovapsLoad}) {
    SimdBench b{Model::jslinux};
    CHECK(b.execute(bytes).vector == kInvalidOpcode);
  }
}

TEST_CASE("SSE3 and POPCNT only on request") {
  memory::GuestRam ram{1u << 20};
  FakeBus bus;
  for (const bool on : {false, true}) {
    Cpu cpu{ram, bus, Model::full, {.sse3 = on, .popcnt = on}};
    for (const Bytes& bytes : {Bytes{0xf2, 0x0f, 0x7c, 0xc1}, Bytes{0xf2, 0x0f, 0xf0, 0x07}, Bytes{0xdb, 0x0f}, Bytes{0xf3, 0x0f, 0xb8, 0xc1}}) {
      CpuState s = cpu.state();
      s.cr4 |= kCr4Osfxsr;
      s.segment[kCs].base = 0;
      s.eip = 0x1000;
      s.idtr = {0, 0x3ff};
      std::memset(ram.data(), 0, 0x400);
      std::memset(ram.data() + 0x1000, 0xf4, 16);
      std::memcpy(ram.data() + 0x1000, bytes.data(), bytes.size());
      std::memset(ram.data() + 0x2000, 0xf4, 1);
      const std::uint32_t vector = 0x2000;
      std::memcpy(ram.data() + 4 * kInvalidOpcode, &vector, 4);
      cpu.ram_changed(0, 0x3000);
      cpu.set_state(s);
      REQUIRE(cpu.run(100, true) == Exit::halted);
      CAPTURE(int{bytes[0]});
      CHECK(cpu.state().eip == (on ? 0x1001 + bytes.size() : 0x2001u));
      s = cpu.state();
      s.halted = 0;
      s.segment[kCs].selector = 0;
      cpu.set_state(s);
    }
  }
}

TEST_CASE("prefixes that select no instruction, and LOCK, are invalid") {
  for (const Bytes& bytes : {Bytes{0xf3, 0x0f, 0xfc, 0xc1}, Bytes{0xf2, 0x0f, 0x28, 0xc1}, Bytes{0xf3, 0x0f, 0x28, 0xc1}, Bytes{0xf0, 0x0f, 0x58, 0x06},
                             Bytes{0xf0, 0x66, 0x0f, 0x6f, 0x06}, Bytes{0x66, 0x0f, 0x12, 0xc1}, Bytes{0x0f, 0x2b, 0xc1}, Bytes{0x0f, 0x50, 0x06},
                             Bytes{0x0f, 0x71, 0x16, 1}, Bytes{0x0f, 0x73, 0xd8, 1}, Bytes{0x0f, 0x6c, 0xc1}, Bytes{0x66, 0xf3, 0x0f, 0x54, 0xc1}}) {
    SimdBench b;
    CAPTURE(int{bytes[0]});
    CAPTURE(int{bytes[2]});
    CHECK(b.execute(bytes).vector == kInvalidOpcode);
  }
}

TEST_CASE("16-byte operands must be aligned, but for the moves that say otherwise") {
  for (std::uint32_t offset = 0; offset < 16; ++offset) {
    CAPTURE(offset);
    const int expected = offset == 0 ? -1 : int{kGeneralProtection};
    for (const Bytes& bytes : {kMovapsLoad, kMovapsStore, Bytes{0x0f, 0x58, 0x06}, Bytes{0x66, 0x0f, 0xfc, 0x06}, Bytes{0x66, 0x0f, 0xe7, 0x06}}) {
      SimdBench b;
      b.set_xmm(0, kOnes, kOnes);
      b.set(kEsi, kData + offset);
      const Trap t = b.execute(bytes);
      CHECK(t.vector == expected);
      if (expected != -1) {
        CHECK(t.error == 0);
        CHECK(t.eip == kCode);
        CHECK(b.xmm(0)[0] == kOnes);
      }
    }
    for (const Bytes& bytes : {kMovupsLoad, kMovupsStore, kMovdStore}) {
      SimdBench b;
      b.set(kEsi, kData + offset);
      CHECK(b.execute(bytes).vector == -1);
    }
  }
}

TEST_CASE("an operand across a page end faults whole") {
  for (const bool second_missing : {false, true}) {
    for (const Bytes& bytes : {kMovupsLoad, kMovupsStore}) {
      SimdBench b;
      b.enable_paging();
      const std::uint32_t page = kData + 0x1000;
      b.map(second_missing ? page : page - 0x1000, 0);
      b.set_xmm(0, 0x1111111111111111u, 0x2222222222222222u);
      b.poke<std::uint64_t>(page - 8, 0x3333333333333333u);
      b.poke<std::uint64_t>(page, 0x4444444444444444u);
      b.set(kEsi, page - 6);
      const Trap t = b.execute(bytes);
      CHECK(t.vector == kPageFault);
      CHECK(b.state().cr2 == (second_missing ? page : page - 6));
      CHECK(b.xmm(0) == std::array<std::uint64_t, 2>{0x1111111111111111u, 0x2222222222222222u});
      CHECK(b.peek_as<std::uint64_t>(page - 8) == 0x3333333333333333u);
      CHECK(b.peek_as<std::uint64_t>(page) == 0x4444444444444444u);
      b.map(second_missing ? page : page - 0x1000, (second_missing ? page : page - 0x1000) | 7);
      CHECK(b.execute(bytes).vector == -1);
    }
  }
}

TEST_CASE("segment limits hold for the whole operand") {
  SimdBench b;
  b.gdt(kFreeEntry, descriptor(kData, 0x2f, kDataAccess, kBig));
  b.change([&](CpuState& s) { s.segment[kDs] = b.load(kFreeEntry); });
  b.set(kEsi, 0x20);
  CHECK(b.execute(kMovapsLoad).vector == -1);
  b.set(kEsi, 0x21);
  CHECK(b.execute(kMovupsLoad).vector == kGeneralProtection);
  b.set(kEsi, 0x2c);
  CHECK(b.execute(kMovdStore).vector == -1);
  b.set(kEsi, 0x2d);
  CHECK(b.execute(kMovdStore).vector == kGeneralProtection);
  b.set(kEsi, 0);
  CHECK(b.execute(kFxsave).vector == kGeneralProtection);
}

TEST_CASE("MASKMOVDQU writes the chosen bytes, and all of them or none") {
  SimdBench b;
  b.enable_paging();
  const std::uint32_t page = kData + 0x1000;
  b.set_xmm(0, 0x0706050403020100u, 0x0f0e0d0c0b0a0908u);
  b.set_xmm(1, 0x8000000000000080u, 0x0080000000000000u);
  b.set(kEdi, page - 8);
  b.poke<std::uint64_t>(page - 8, ~std::uint64_t{0});
  b.poke<std::uint64_t>(page, ~std::uint64_t{0});
  b.map(page, page | 5);
  b.change([](CpuState& s) { s.cr0 |= kCr0Wp; });
  CHECK(b.execute(kMaskmovdqu).vector == kPageFault);
  CHECK(b.peek_as<std::uint64_t>(page - 8) == ~std::uint64_t{0});
  b.map(page, page | 7);
  CHECK(b.execute(kMaskmovdqu).vector == -1);
  CHECK(b.peek_as<std::uint64_t>(page - 8) == 0x07ffffffffffff00u);
  CHECK(b.peek_as<std::uint64_t>(page) == 0xff0effffffffffffu);
}

TEST_CASE("LDMXCSR and STMXCSR; reserved bits raise #GP") {
  SimdBench b;
  b.poke<std::uint32_t>(kData, 0x9fc5);
  CHECK(b.execute(kLdmxcsr).vector == -1);
  CHECK(b.state().mxcsr == 0x9fc5);
  b.poke<std::uint32_t>(kData, 0);
  CHECK(b.execute(kStmxcsr).vector == -1);
  CHECK(b.peek(kData) == 0x9fc5);
  b.poke<std::uint32_t>(kData, 0x11f80);
  CHECK(b.execute(kLdmxcsr).vector == kGeneralProtection);
  CHECK(b.state().mxcsr == 0x9fc5);
}

TEST_CASE("FXSAVE and FXRSTOR: the image, and what they refuse") {
  SimdBench b;
  Random random{7};
  std::array<std::uint8_t, 512> image;
  for (std::uint8_t& byte : image) byte = static_cast<std::uint8_t>(random());
  const std::array<std::uint8_t, 32> head{0x7f, 0x0a, 0x00, 0x38, 0xa5, 0x00, 0x45, 0x03, 0x78, 0x56, 0x34, 0x12, 0xcd, 0xab, 0x00, 0x00,
                                          0x21, 0x43, 0x65, 0x87, 0xfe, 0xdc, 0x00, 0x00, 0xa5, 0x3f, 0x00, 0x00, 0xff, 0xff, 0x00, 0x00};
  std::copy(head.begin(), head.end(), image.begin());
  for (unsigned n = 0; n < 8; ++n) std::fill_n(image.begin() + 32 + 16 * n + 10, 6, std::uint8_t{0xee});
  for (unsigned at = 288; at < 512; ++at) image[at] = 0xee;
  b.put(kData, image);
  REQUIRE(b.execute(kFxrstor).vector == -1);
  CHECK(b.state().mxcsr == 0x3fa5);
  std::uint64_t low = 0;
  std::memcpy(&low, image.data() + 160 + 3 * 16, 8);
  CHECK(b.xmm(3)[0] == low);
  b.set(kEsi, kData + 0x400);
  const std::vector<std::uint8_t> filler(512, 0xee);
  b.put(kData + 0x400, filler);
  REQUIRE(b.execute(kFxsave).vector == -1);
  for (std::uint32_t at = 0; at < 512; ++at) {
    if (at == 5 || at == 14 || at == 15 || at == 22 || at == 23) continue;  // reserved
    CAPTURE(at);
    const bool behind_st = at >= 32 && at < 160 && at % 16 >= 10;
    CHECK(b.peek_as<std::uint8_t>(kData + 0x400 + at) == (behind_st ? 0 : image[at]));
  }

  // FRSTOR's image tells the same registers: ST(0) stands at 28 of FNSAVE, whose TOP is 7.
  REQUIRE(b.execute({0xdd, 0x36}).vector == -1);
  b.set(kEsi, kData);
  b.poke<std::uint32_t>(kData + 24, 0x10000);
  const auto before = b.state().xmm;
  CHECK(b.execute(kFxrstor).vector == kGeneralProtection);
  CHECK(b.state().xmm == before);
  b.set(kEsi, kData + 8);
  CHECK(b.execute(kFxrstor).vector == kGeneralProtection);
  CHECK(b.execute(kFxsave).vector == kGeneralProtection);
  b.enable_paging();
  b.map(kData + 0x1000, 0);
  b.set(kEsi, kData + 0xf00);
  CHECK(b.execute(kFxsave).vector == kPageFault);
  CHECK(b.peek_as<std::uint8_t>(kData + 0xf00) == 0);
  CHECK(b.execute(kFxrstor).vector == kPageFault);
}

TEST_CASE("MMX registers are the significands of the x87 registers") {
  SimdBench b;
  // FNINIT; FLD1; MOVD MM7, ESI; FXSAVE [ESI].
  b.execute({0xdb, 0xe3, 0xd9, 0xe8, 0x0f, 0x6e, 0xfe, 0x0f, 0xae, 0x06});
  CHECK((b.peek_as<std::uint16_t>(kData + 2) >> 11 & 7) == 0);  // TOP
  CHECK(b.peek_as<std::uint8_t>(kData + 4) == 0xff);             // all valid
  CHECK(b.peek_as<std::uint64_t>(kData + 32 + 7 * 16) == kData);
  CHECK(b.peek_as<std::uint16_t>(kData + 32 + 7 * 16 + 8) == 0xffff);
  b.execute({0x0f, 0x77, 0x0f, 0xae, 0x06});
  CHECK(b.peek_as<std::uint8_t>(kData + 4) == 0);
}

#ifdef TUXARIUM_HOST_SSE2

TEST_CASE("#XM, or #UD where CR4.OSXMMEXCPT is clear; flags are sticky and the destination stays") {
  for (const bool os_handles : {true, false}) {
    SimdBench b;
    if (!os_handles) b.change([](CpuState& s) { s.cr4 &= ~kCr4Osxmmexcpt; });
    b.set_mxcsr(simd::kMxcsrReset & ~(simd::kMxcsrZeroDivide << simd::kMxcsrMaskShift));
    b.set_xmm(0, kOnes, kOnes);
    b.set_xmm(1, 0, 0);
    const Trap t = b.execute(kDivss);
    CHECK(t.vector == (os_handles ? int{kSimdError} : int{kInvalidOpcode}));
    CHECK(t.eip == kCode);
    CHECK(b.xmm(0)[0] == kOnes);
    CHECK((b.state().mxcsr & simd::kMxcsrFlags) == simd::kMxcsrZeroDivide);
    // The flag stays and raises nothing by itself.
    b.set_xmm(1, kThree, 0);
    CHECK(b.execute(kDivss).vector == -1);
    CHECK((b.state().mxcsr & simd::kMxcsrFlags) == (simd::kMxcsrZeroDivide | simd::kMxcsrPrecision));
  }
}

TEST_CASE("the host's MXCSR is its own before, during and after a run") {
  const auto mine = [] {
    std::uint32_t value = 0;
    asm volatile("stmxcsr %0" : "=m"(value));
    return value;
  };
  const std::uint32_t before = mine();
  const std::uint32_t odd = 0x7fa1;  // towards zero, with two flags
  asm volatile("ldmxcsr %0" : : "m"(odd));
  SimdBench b;
  std::uint32_t during = 0, guest_during = 0;
  b.bus.on_access = [&] {
    during = mine();
    guest_during = b.state().mxcsr;
  };
  b.set_mxcsr(0xdf80);  // FTZ, towards plus infinity
  b.set_xmm(0, kOnes, kOnes);
  b.set_xmm(1, kThree, 0);
  // DIVSS; OUT 0x80, AL; DIVSS.
  const Bytes code{0xf3, 0x0f, 0x5e, 0xc1, 0xe6, 0x80, 0xf3, 0x0f, 0x5e, 0xc1};
  const Trap t = b.execute(code);
  const std::uint32_t after = mine();
  asm volatile("ldmxcsr %0" : : "m"(before));
  CHECK(t.vector == -1);
  CHECK(during == odd);
  CHECK(after == odd);
  CHECK(guest_during == (0xdf80 | simd::kMxcsrPrecision));
  CHECK((b.xmm(0)[0] & 0xffffffffu) == 0x3de38e3a);  // a ninth, rounded up twice
}

TEST_CASE("the portable element operations agree with the host's") {
  using namespace simd;
  Random random{test_seed()};
  MESSAGE("seed " << test_seed());
  const auto element = [&] {
    const std::uint64_t value = random();
    return random() % 3 == 0 ? value & 0x00ff800100ff7fffu : random() % 4 == 0 ? value & 0x3f : value;
  };
#define TUXARIUM_AGREE(name)                                                                                       \
  for (int n = 0; n < 2000; ++n) {                                                                                 \
    const Lanes a{element(), element()}, b{element(), element()};                                                  \
    const bool same = name::portable(a, b) == to_lanes(name::apply(from_lanes(a), from_lanes(b), 0));              \
    if (same) continue;                                                                                            \
    FAIL_CHECK(#name);                                                                                             \
    break;                                                                                                         \
  }
  TUXARIUM_AGREE(paddb) TUXARIUM_AGREE(paddw) TUXARIUM_AGREE(paddd) TUXARIUM_AGREE(paddq) TUXARIUM_AGREE(paddsb) TUXARIUM_AGREE(paddsw)
  TUXARIUM_AGREE(paddusb) TUXARIUM_AGREE(paddusw) TUXARIUM_AGREE(psubb) TUXARIUM_AGREE(psubw) TUXARIUM_AGREE(psubd) TUXARIUM_AGREE(psubq)
  TUXARIUM_AGREE(psubsb) TUXARIUM_AGREE(psubsw) TUXARIUM_AGREE(psubusb) TUXARIUM_AGREE(psubusw) TUXARIUM_AGREE(pmullw) TUXARIUM_AGREE(pmulhw)
  TUXARIUM_AGREE(pmulhuw) TUXARIUM_AGREE(pmuludq) TUXARIUM_AGREE(pmaddwd) TUXARIUM_AGREE(psadbw) TUXARIUM_AGREE(pminub) TUXARIUM_AGREE(pmaxub)
  TUXARIUM_AGREE(pminsw) TUXARIUM_AGREE(pmaxsw) TUXARIUM_AGREE(pavgb) TUXARIUM_AGREE(pavgw) TUXARIUM_AGREE(pcmpeqb) TUXARIUM_AGREE(pcmpeqw)
  TUXARIUM_AGREE(pcmpeqd) TUXARIUM_AGREE(pcmpgtb) TUXARIUM_AGREE(pcmpgtw) TUXARIUM_AGREE(pcmpgtd) TUXARIUM_AGREE(pand) TUXARIUM_AGREE(pandn)
  TUXARIUM_AGREE(por) TUXARIUM_AGREE(pxor) TUXARIUM_AGREE(packsswb) TUXARIUM_AGREE(packuswb) TUXARIUM_AGREE(packssdw) TUXARIUM_AGREE(punpcklbw)
  TUXARIUM_AGREE(punpcklwd) TUXARIUM_AGREE(punpckldq) TUXARIUM_AGREE(punpcklqdq) TUXARIUM_AGREE(punpckhbw) TUXARIUM_AGREE(punpckhwd)
  TUXARIUM_AGREE(punpckhdq) TUXARIUM_AGREE(punpckhqdq) TUXARIUM_AGREE(psllw) TUXARIUM_AGREE(pslld) TUXARIUM_AGREE(psllq) TUXARIUM_AGREE(psrlw)
  TUXARIUM_AGREE(psrld) TUXARIUM_AGREE(psrlq) TUXARIUM_AGREE(psraw) TUXARIUM_AGREE(psrad)
#undef TUXARIUM_AGREE
}

#endif
