// From a form of a row and a seed to a case: registers and memory first, then an encoding that leads to them.
//
// What keeps a case inside of the sandbox: memory operands reach what they like below 4 GiB, where nothing else is; relative branches lead
// to the landing, into INT3s or to unmapped memory, never into the case's own bytes; selectors are those of the sandbox and never that of
// 64-bit code; software interrupts never have the number of Linux' system calls; TF is not set where the landing would be traced.
#include <algorithm>
#include <cstring>

#include "case.hpp"
#include "cpu/cpu_state.hpp"
#include "dice.hpp"
#include "prelude.hpp"
#include "unit/cpu/encoding.hpp"
#include "values.hpp"

namespace tuxarium::differential {

using namespace cpu;

namespace {

/// Selectors that a data segment register can hold before the case.
constexpr std::uint16_t kLoadable[] = {kUserData,
                                       local_selector(kLocalFlat),
                                       local_selector(kLocalWindow),
                                       local_selector(kLocalWindow),
                                       local_selector(kLocalReadOnly),
                                       local_selector(kLocalExpandDown),
                                       local_selector(kLocalCode32),
                                       local_selector(kLocalData16),
                                       local_selector(kLocalData16),
                                       local_selector(kLocalExpandDown16),
                                       local_selector(kLocalHighData16),
                                       local_selector(kLocalSmallCode),
                                       0};
/// Where 16-bit addresses reach the sandbox.
constexpr std::uint16_t kLowBased[] = {local_selector(kLocalWindow), local_selector(kLocalData16), local_selector(kLocalData16),
                                       local_selector(kLocalExpandDown16), local_selector(kLocalHighData16)};
constexpr std::uint16_t kStacks[] = {local_selector(kLocalFlat),         local_selector(kLocalWindow),   local_selector(kLocalExpandDown),
                                     local_selector(kLocalData16),       local_selector(kLocalHighData16),
                                     local_selector(kLocalExpandDown16)};

bool is_string(Mnemonic m) {
  using enum Mnemonic;
  return m == movs || m == cmps || m == stos || m == lods || m == scas || m == ins || m == outs;
}

bool is_simd(const InstructionRow& row) {
  switch (row.feature) {
    case Feature::mmx: case Feature::fxsr: case Feature::sse: case Feature::sse2: case Feature::sse3: return true;
    default: return false;
  }
}

bool uses_fpu(const InstructionRow& row) { return row.mnemonic == Mnemonic::x87 || row.mnemonic == Mnemonic::fwait || is_simd(row); }

/// Bytes of the memory operand, or 4 where it does not matter.
unsigned memory_bytes(const Form& f) {
  using enum Mnemonic;
  switch (f.row->mnemonic) {
    case bound: return 2u * f.operand_size;
    case les: case lds: case lss: case lfs: case lgs: case call_far: case jmp_far: return f.operand_size + 2u;
    case cmpxchg8b: return 8;
    case fxsave: case fxrstor: return 512;
    case x87: return 10;
    default: break;
  }
  for (const Operand o : f.row->operand) {
    switch (o) {
      case Operand::Eb: case Operand::Mb: case Operand::Ob: return 1;
      case Operand::Ew: case Operand::RdMw: return 2;
      case Operand::Ev: case Operand::Ov: return f.operand_size;
      case Operand::Qq: case Operand::Wq: case Operand::Mq: return 8;
      case Operand::Wdq: case Operand::Mdq: return 16;
      default: break;
    }
  }
  return 4;
}

Content content_for(const Form& f, Dice& dice) {
  if (f.x87 >= 0) {
    static constexpr Content kKinds[] = {Content::floats, Content::floats, Content::extended, Content::integers, Content::decimal, Content::anything};
    const unsigned escape = static_cast<unsigned>(f.x87) >> 6, reg = static_cast<unsigned>(f.x87) >> 3 & 7;
    if (f.memory && escape == 3 && reg == 5) return Content::extended;
    if (f.memory && escape == 7 && reg == 4) return dice.one_in(8) ? Content::anything : Content::decimal;
    if (f.memory && (escape == 0 || escape == 4)) return Content::floats;
    return dice.pick(kKinds);
  }
  if (is_simd(*f.row)) return dice.one_in(2) ? Content::floats : dice.one_in(2) ? Content::integers : Content::anything;
  return dice.one_in(4) ? Content::anything : Content::integers;
}

class Builder {
 public:
  Builder(const Form& form, std::uint64_t seed) : form_{form}, row_{*form.row}, dice_{scatter(seed)} {
    c_.seed = seed;
    c_.form = &form;
  }

  Case build() {
    choose_registers();
    choose_segments();
    choose_place();
    c_.fpu = uses_fpu(row_);
    if (c_.fpu) choose_fpu();
    prepare_row();
    if (dice_.one_in(4)) open_block();
    choose_prefixes();
    encode();
    return c_;
  }

 private:
  // ---- state ------------------------------------------------------------------------------------------------------------------------

  void choose_registers() {
    for (std::uint32_t& r : c_.gpr) r = integer_value(dice_);
    c_.eflags = dice_.word() & kArithmeticFlags;
    if (dice_.one_in(6)) c_.eflags |= kDf;
    if (dice_.one_in(8)) c_.eflags |= kId;
    if (dice_.one_in(16)) c_.eflags |= kAc;
    // In the host's long mode IRET with NT is #GP.
    if (dice_.one_in(32) && row_.mnemonic != Mnemonic::iret) c_.eflags |= kNt;
    if (dice_.one_in(48) && !traces_landing()) c_.eflags |= kTf;
  }

  /// After these a trap would come after the landing's jump, in 64-bit code.
  bool traces_landing() const {
    using enum Mnemonic;
    return row_.mnemonic == popf || row_.mnemonic == iret || row_.mnemonic == mov_to_seg || row_.mnemonic == pop_seg || row_.mnemonic == lss;
  }

  void choose_segments() {
    c_.code32 = !dice_.one_in(12);
    c_.segment[kCs] = c_.code32 ? (dice_.one_in(16) ? local_selector(kLocalCode32) : kUserCode) : local_selector(kLocalCode16);
    c_.segment[kDs] = dice_.one_in(5) ? dice_.pick(kLoadable) : kUserData;
    c_.segment[kEs] = dice_.one_in(5) ? dice_.pick(kLoadable) : kUserData;
    c_.segment[kFs] = dice_.pick(kLoadable);
    c_.segment[kGs] = dice_.pick(kLoadable);
    c_.segment[kSs] = dice_.one_in(8) ? dice_.pick(kStacks) : kUserData;
    const bool small = (form_.row->map == OpcodeMap::one && row_.mnemonic != Mnemonic::x87) ? dice_.one_in(8) : dice_.one_in(12);
    address_size_ = small != !c_.code32 ? 2 : 4;
    if (address_size_ == 2) {
      c_.segment[kFs] = dice_.pick(kLowBased);
      c_.segment[kGs] = dice_.pick(kLowBased);
      if (is_string(row_.mnemonic) || dice_.one_in(2)) c_.segment[kDs] = dice_.pick(kLowBased);
      if (is_string(row_.mnemonic) || dice_.one_in(2)) c_.segment[kEs] = dice_.pick(kLowBased);
    }
    const std::uint32_t stack = place(4, 4);
    c_.gpr[kEsp] = stack - segment_base(c_.segment[kSs]);
    if (dice_.one_in(64)) c_.gpr[kEsp] = integer_value(dice_);
    // IRET to a 16-bit stack leaves the upper half of ESP as it was.
    if (stack_is_16bit()) c_.gpr[kEsp] = (c_.gpr[kEsp] & 0xffff) | (kSupervisorBase & 0xffff0000u);
    stack_ = stack;
  }

  bool stack_is_16bit() const {
    const std::uint16_t ss = c_.segment[kSs];
    return (ss & 4) != 0 && !kLocalDescriptors[ss >> 3].big;
  }

  /// Where the instruction stands.
  void choose_place() {
    const std::uint32_t r = dice_.below(32);
    if (r == 0) {
      c_.code_address = kCodeBase + kCodeSize - 1 - dice_.below(18);  // may run into unmapped memory
    } else if (r < 4) {
      c_.code_address = kCodeBase + kPage - 1 - dice_.below(18);  // across the page end
    } else {
      c_.code_address = kCodeBase + 0x400 + dice_.below(0x800);
    }
  }

  /// An address for an operand of `size` bytes: mostly mapped, sometimes at or across the edges of the data pages.
  std::uint32_t place(std::uint32_t size, std::uint32_t align) {
    const std::uint32_t r = dice_.below(64), near = dice_.below(2 * size + 2);
    std::uint32_t address = kDataBase + 0x100 + dice_.below(kPage - 0x400);
    if (r < 8) {
      address = kDataBase + kPage - near;
    } else if (r < 10) {
      address = kDataBase + kWritableSize - near;  // into the read-only page
    } else if (r == 10) {
      address = kDataBase + kDataSize - near;
    } else if (r == 11) {
      address = kDataBase + size - near;
    } else if (r == 12) {
      address = kDataBase + kWritableSize + dice_.below(kPage - size);
    } else if (r == 13) {
      address = dice_.word();
    } else if (r < 26) {
      address += kPage;
    }
    if (align > 1 && !dice_.one_in(8)) address &= ~(align - 1);
    return address;
  }

  /// Random content around an address. The operand is its start or, for a stack or a bit string, a part of it.
  std::uint8_t* open_window(std::uint32_t address, Content content) {
    Window& w = c_.window[std::min<unsigned>(c_.windows, 2)];
    if (c_.windows < 3) ++c_.windows;
    w.offset = kWritableSize;
    fill(dice_, content, w.bytes);
    const std::uint32_t offset = address - kDataBase;
    if (offset < kWritableSize) w.offset = offset;
    return w.bytes.data();
  }

  template <class T>
  static void put(std::uint8_t* to, T value) {
    std::memcpy(to, &value, sizeof value);
  }

  void choose_fpu() {
    FxImage& fx = c_.fx;
    std::uint16_t control = 0x037f;
    if (dice_.one_in(2)) control = static_cast<std::uint16_t>(0x40 | (dice_.word() & 0x0f00) | (dice_.one_in(2) ? 0x3f : dice_.word() & 0x3f));
    std::uint16_t status = static_cast<std::uint16_t>(dice_.word() & 0x7f00);  // condition bits and TOP
    if (dice_.one_in(2)) status = static_cast<std::uint16_t>(status | (dice_.word() & 0x7f));
    if ((status & ~control & 0x3f) != 0 && !dice_.one_in(8)) status = static_cast<std::uint16_t>(status & (control | 0xffc0));
    if ((status & ~control & 0x3f) != 0) status |= 0x8080;
    put(fx.data(), control);
    put(fx.data() + 2, status);
    const std::uint32_t tags = dice_.below(4);
    fx[4] = static_cast<std::uint8_t>(tags == 0 ? 0xff : tags == 1 ? dice_.word() : tags == 2 ? 0 : ~(1u << ((status >> 11 & 7) + 7) % 8));
    put(fx.data() + 6, static_cast<std::uint16_t>(dice_.word() & 0x7ff));
    put(fx.data() + 8, dice_.word());
    put(fx.data() + 12, std::uint16_t{kUserCode});
    put(fx.data() + 16, dice_.word());
    put(fx.data() + 20, std::uint16_t{kUserData});
    std::uint32_t mxcsr = dice_.word() & 0xe07f;
    if (dice_.one_in(2)) mxcsr &= ~0x8040u;
    if (dice_.one_in(2)) mxcsr &= ~0x3fu;
    mxcsr |= dice_.one_in(2) ? 0x1f80 : dice_.word() & 0x1f80;
    put(fx.data() + 24, mxcsr);
    const Content content = is_simd(row_) ? Content::anything : Content::extended;
    for (unsigned n = 0; n < 8; ++n) {
      if (content == Content::extended) {
        extended_value(dice_, fx.data() + 32 + 16 * n);
      } else {
        fill(dice_, dice_.one_in(2) ? Content::integers : Content::floats, std::span{fx}.subspan(32 + 16 * n, 10));
      }
    }
    const Content vectors = dice_.one_in(3) ? Content::integers : Content::floats;
    for (unsigned n = 0; n < 8; ++n) fill(dice_, vectors, std::span{fx}.subspan(160 + 16 * n, 16));
    if (dice_.one_in(2)) {
      // Shift counts that leave something.
      const std::uint64_t count = dice_.below(70);
      for (unsigned n = 0; n < 8; ++n) {
        if (dice_.one_in(4)) put(fx.data() + 160 + 16 * n, count);
        if (is_simd(row_) && dice_.one_in(4)) put(fx.data() + 32 + 16 * n, count);
      }
    }
    if (row_.mnemonic == Mnemonic::x87 && dice_.one_in(3)) {
      // Comparable numbers in ST(0) and its neighbours.
      const unsigned from = dice_.below(8);
      for (unsigned n = 0; n < 8; ++n) std::memcpy(fx.data() + 32 + 16 * n, fx.data() + 32 + 16 * (n % 2 == 0 ? from : n), 10);
    }
  }

  // ---- what single rows need ----------------------------------------------------------------------------------------------------------

  unsigned operand_bits() const {
    for (const Operand o : row_.operand) {
      if (o == Operand::Eb || o == Operand::Gb || o == Operand::AL) return 8;
      if (o != Operand::none) break;
    }
    return form_.operand_size * 8u;
  }

  void set(unsigned r, std::uint32_t value) {
    c_.gpr[r] = value;
    pinned_[r] = true;
  }

  void prepare_row() {
    using enum Mnemonic;
    switch (row_.mnemonic) {
      case div: case idiv: prepare_division(); break;
      case shl: case shr: case sar: case rol: case ror: case rcl: case rcr: case shld: case shrd:
        if (dice_.one_in(2)) c_.gpr[kEcx] = (c_.gpr[kEcx] & 0xffffff00u) | dice_.below(34);
        // Above the operand size SHLD and SHRD leave an undefined result (SDM 2B, SHLD).
        if (row_.operand[2] == Operand::CL && form_.operand_size == 2) c_.gpr[kEcx] = (c_.gpr[kEcx] & ~31u) | dice_.below(17);
        if (row_.operand[1] == Operand::CL || row_.operand[2] == Operand::CL) pinned_[kEcx] = true;
        break;
      case movs: case cmps: case stos: case lods: case scas: case ins: case outs: prepare_string(); break;
      case xlat: prepare_xlat(); break;
      case loop: case loope: case loopne: case jcxz:
        if (dice_.one_in(2)) c_.gpr[kEcx] = dice_.below(3) | (dice_.one_in(4) ? 0x10000u : 0);
        break;
      case push: case push_seg: case pusha: case pushf: case call: case enter: case call_far: prepare_push(); break;
      case pop: case popa: case popf: case leave: case ret: case retf: case iret: case pop_seg: prepare_pop(); break;
      case maskmovq: case maskmovdqu: prepare_masked(); break;
      case sahf: case aam: case aad: case daa: case das: case aaa: case aas: break;
      default: break;
    }
  }

  void prepare_division() {
    pinned_[kEax] = pinned_[kEdx] = true;
    if (dice_.one_in(4)) return;
    // Small dividends, so that most of the divisions go through.
    const std::uint32_t sign = (row_.mnemonic == Mnemonic::idiv && dice_.one_in(2)) ? 0xffffffffu : 0;
    if (operand_bits() == 8) {
      c_.gpr[kEax] = (c_.gpr[kEax] & 0xffff0000u) | ((sign ^ dice_.below(0x300)) & 0xffff);
    } else {
      c_.gpr[kEdx] = sign ^ dice_.below(dice_.one_in(2) ? 4 : 0x8000);
    }
  }

  /// Points a register, of which the address size's part counts, at an address in a segment.
  void point(unsigned r, std::uint32_t address, std::uint16_t selector) {
    const std::uint32_t offset = address - segment_base(selector);
    set(r, address_size_ == 4 ? offset : (offset & 0xffff) | (dice_.word() & 0xffff0000u));
  }

  void prepare_string() {
    const std::uint32_t source = place(32, 1), target = dice_.one_in(3) ? source + dice_.below(17) - 8 : place(32, 1);
    if (!dice_.one_in(3)) string_segment_ = static_cast<int>(kDs);
    const unsigned segment = string_segment_ < 0 ? unsigned{kFs} : unsigned{kDs};
    point(kEsi, source, c_.segment[segment]);
    point(kEdi, target, c_.segment[kEs]);
    const std::uint32_t count = dice_.one_in(4) ? dice_.below(600) : dice_.below(12);
    set(kEcx, dice_.one_in(40) ? dice_.word() : count | (address_size_ == 2 ? dice_.word() & 0xffff0000u : 0));
    repeatable_ = true;
    std::uint8_t* from = open_window(source - 32, Content::integers);
    std::uint8_t* to = open_window(target - 32, Content::integers);
    if (dice_.one_in(2)) {
      // Long runs of equal elements.
      std::memset(from, static_cast<int>(c_.gpr[kEax] & 0xff), Window::kBytes);
      std::memset(to, static_cast<int>(c_.gpr[kEax] & 0xff), Window::kBytes);
      if (dice_.one_in(2)) to[32 + dice_.below(64)] ^= 1;
      if (dice_.one_in(2)) c_.gpr[kEax] = (c_.gpr[kEax] & 0xff) * 0x01010101u;
    }
  }

  void prepare_xlat() {
    const std::uint32_t address = place(1, 1);
    open_window(address, Content::anything);
    point(kEbx, address - (c_.gpr[kEax] & 0xff), c_.segment[kDs]);
  }

  void prepare_push() {
    if (row_.mnemonic != Mnemonic::enter) return;
    const std::uint32_t frame = place(16, 4);
    open_window(frame - 64, Content::integers);
    if (!dice_.one_in(8)) c_.gpr[kEbp] = frame - segment_base(c_.segment[kSs]);
  }

  std::uint32_t some_eflags() { return dice_.word() & ~kTf; }

  /// An EIP: INT3s of the code pages, or unmapped. Never the case's own bytes.
  std::uint32_t target_offset(std::uint16_t selector) {
    std::uint32_t address = kCodeBase + dice_.below(kCodeSize);
    if (address - (c_.code_address - 16) < 112) address = kCodeBase + (address < kCodeBase + kPage ? kPage + 0x100u : 0x100u);
    if (dice_.one_in(16)) address = integer_value(dice_) & 0x0fffffffu;
    const std::uint32_t offset = address - segment_base(selector);
    return offset;
  }

  std::uint16_t code_selector() {
    static constexpr std::uint16_t kChoices[] = {kUserCode, kUserCode, kUserCode, local_selector(kLocalCode32), local_selector(kLocalCode16),
                                                 local_selector(kLocalSmallCode), local_selector(kLocalExecuteOnly)};
    return dice_.one_in(4) ? any_selector() : dice_.pick(kChoices);
  }

  /// Anything that may be tried without harm: not Linux' 64-bit code, nor the descriptors whose content is the host's own.
  std::uint16_t any_selector() {
    static constexpr std::uint16_t kOthers[] = {0, 1, 2, 3, 0x08, 0x0b, 0x10, 0x13, 0x18, 0x1b, 0x20, 0x21, 0x23, 0x28, 0x2a, 0x2b, 0x80, 0x83, 0x8b,
                                                0x1000, 0xffff, 0xfffc, local_selector(kLocalEntries)};
    if (dice_.one_in(3)) return dice_.pick(kOthers);
    return static_cast<std::uint16_t>(dice_.below(kLocalEntries) << 3 | 4 | (dice_.one_in(4) ? dice_.below(4) : 3));
  }

  void prepare_pop() {
    using enum Mnemonic;
    const Mnemonic m = row_.mnemonic;
    std::uint32_t top = stack_;
    if (m == leave) {
      top = place(4, 4);
      c_.gpr[kEbp] = top - segment_base(c_.segment[kSs]);
    }
    std::uint8_t* w = open_window(top, Content::integers);
    const unsigned size = form_.operand_size;
    if (m == popf) {
      put(w, some_eflags());
    } else if (m == pop_seg) {
      put(w, any_selector());
    } else if (m == ret) {
      put_value(w, target_offset(c_.segment[kCs]), size);
    } else if (m == retf || m == iret) {
      const std::uint16_t cs = code_selector();
      put_value(w, target_offset(cs), size);
      put_value(w + size, cs | (dice_.one_in(4) ? dice_.word() & 0xffff0000u : 0), size);
      put_value(w + 2 * size, some_eflags(), size);
    }
  }

  static void put_value(std::uint8_t* to, std::uint32_t value, unsigned size) { std::memcpy(to, &value, size); }

  void prepare_masked() {
    const std::uint32_t address = place(16, 8);
    open_window(address, Content::anything);
    point(kEdi, address, c_.segment[kDs]);
  }

  /// Puts other instructions in front. They change registers that this row does not need as they are.
  void open_block() {
    using enum Mnemonic;
    const Mnemonic m = row_.mnemonic;
    const bool pointers = is_string(m) || is_bit_test() || m == xlat || m == maskmovq || m == maskmovdqu || m == enter || m == leave;
    const bool selector = m == mov_to_seg || m == lar || m == lsl || m == verr || m == verw || m == lldt || m == ltr || m == lmsw;
    if (pointers || selector || m == call || m == jmp || (c_.eflags & kTf) != 0) return;
    unsigned candidates = 0xcf;  // not ESP and EBP
    for (unsigned r = 0; r < 8; ++r) {
      if (pinned_[r]) candidates &= ~(1u << r);
    }
    written_ = candidates & dice_.byte();
    const bool reads_af = m == daa || m == das || m == aaa || m == aas || m == lahf || m == pushf || m == sahf;
    const Prelude prelude = make_prelude(dice_, written_, reads_af);
    for (const std::uint8_t b : prelude.bytes) emit(b);
    c_.prelude = c_.length;
    c_.undefined = prelude.undefined;
  }

  /// True when a register's value is not known where the operand's address is made up.
  bool unknown(unsigned r) const { return r < 8 && (written_ >> r & 1) != 0; }

  // ---- encoding -----------------------------------------------------------------------------------------------------------------------

  void choose_prefixes() {
    using enum Mnemonic;
    const Mnemonic m = row_.mnemonic;
    if (row_.prefix == MandatoryPrefix::any) {
      // F3 makes TZCNT and LZCNT of these on newer processors, 0F 01 has other instructions under it; AMD's LOOPE and LOOPNE take their
      // condition from a repeat prefix, which the SDM reserves.
      const bool takes_repeat = m != bsf && m != bsr && m != loope && m != loopne && !(row_.map == OpcodeMap::two && row_.opcode == 0x01);
      if (repeatable_ ? !dice_.one_in(3) : takes_repeat && dice_.one_in(24)) prefixes_.push_back(dice_.one_in(3) ? 0xf2 : 0xf3);
    }
    const bool locks = row_.lockable && form_.memory ? dice_.one_in(3) : dice_.one_in(64);
    // AMD's LOCK MOV CR0 is another instruction, and its VERW takes a LOCK.
    if (locks && m != mov_from_cr && m != mov_to_cr && m != verr && m != verw) prefixes_.push_back(0xf0);
    locked_ = locks || (m == xchg && form_.memory);
    if (address_size_ == (c_.code32 ? 2 : 4)) prefixes_.push_back(0x67);
    const bool wide = form_.operand_size == (c_.code32 ? 4 : 2);
    if (tests::has_operand_size(row_) && row_.prefix == MandatoryPrefix::any) {
      if (!wide) prefixes_.push_back(0x66);
    } else if (m == popcnt) {
      if (!wide) prefixes_.push_back(0x66);
    } else if ((row_.prefix == MandatoryPrefix::pf3 || row_.prefix == MandatoryPrefix::pf2) && dice_.one_in(8)) {
      prefixes_.push_back(0x66);
    }
    choose_override();
    if (dice_.one_in(64) && !prefixes_.empty()) prefixes_.push_back(dice_.pick(prefixes_));
    if (dice_.one_in(200)) {
      // Near the limit of 15 bytes, or above.
      const std::size_t wanted = 5 + dice_.below(10);
      while (prefixes_.size() < wanted) prefixes_.push_back(dice_.pick(kSegmentPrefixes));
    }
    for (std::size_t n = prefixes_.size(); n > 1; --n) std::swap(prefixes_[n - 1], prefixes_[dice_.below(static_cast<std::uint32_t>(n))]);
    // The last one counts.
    for (const std::uint8_t p : prefixes_) {
      const auto* found = std::find(std::begin(kSegmentPrefixes), std::end(kSegmentPrefixes), p);
      if (found != std::end(kSegmentPrefixes)) override_ = static_cast<int>(found - kSegmentPrefixes);
    }
    if (const std::uint8_t mandatory = tests::mandatory_byte(row_); mandatory != 0) prefixes_.push_back(mandatory);
  }

  static constexpr std::uint8_t kSegmentPrefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};  // ES CS SS DS FS GS

  void choose_override() {
    const bool small = address_size_ == 2 && form_.memory && !dice_.one_in(8);
    if (is_string(row_.mnemonic)) {
      if (string_segment_ < 0) prefixes_.push_back(kSegmentPrefixes[kFs]);
      return;
    }
    if (small && !dice_.one_in(4)) {
      prefixes_.push_back(kSegmentPrefixes[dice_.one_in(2) ? kFs : kGs]);
    } else if (dice_.one_in(form_.memory ? 5 : 24)) {
      prefixes_.push_back(dice_.pick(kSegmentPrefixes));
    }
  }

  void encode() {
    for (const std::uint8_t p : prefixes_) emit(p);
    if (row_.map == OpcodeMap::two) emit(0x0f);
    if (form_.x87 >= 0) {
      emit(static_cast<std::uint8_t>(0xd8 + (form_.x87 >> 6)));
    } else {
      low3_ = dice_.below(8);
      emit(static_cast<std::uint8_t>(row_.opcode + (row_.opcode_count == 8 ? low3_ : 0)));
    }
    if (row_.opcode_count == 8 && row_.mnemonic == Mnemonic::pop && low3_ == kEsp) pinned_[kEsp] = true;
    if (tests::has_modrm(row_)) encode_modrm();
    for (const Operand o : row_.operand) encode_operand(o);
    place_system_operand();
  }

  void emit(std::uint8_t b) {
    if (c_.length < c_.code.size()) c_.code[c_.length++] = b;
  }
  void emit_value(std::uint32_t value, unsigned size) {
    for (unsigned n = 0; n < size; ++n) emit(static_cast<std::uint8_t>(value >> (8 * n)));
  }

  unsigned register_field() {
    if (form_.x87 >= 0) return static_cast<unsigned>(form_.x87) >> 3 & 7;
    if (row_.ext >= 0) return static_cast<unsigned>(row_.ext);
    if (row_.mnemonic == Mnemonic::mov_to_seg && !dice_.one_in(8)) {
      static constexpr unsigned kNotCs[] = {kEs, kSs, kDs, kFs, kGs};
      return dice_.pick(kNotCs);
    }
    return dice_.below(8);
  }

  void encode_modrm() {
    const unsigned reg = register_field();
    reg_ = reg;
    if (form_.memory) {
      if (row_.operand[1] == Operand::Gv && is_bit_test()) prepare_bit_index(reg);
      encode_memory(reg);
      return;
    }
    rm_ = form_.x87 >= 0 ? static_cast<unsigned>(form_.x87) & 7 : dice_.below(8);
    emit(static_cast<std::uint8_t>(0xc0 | reg << 3 | rm_));
    if (row_.mnemonic == Mnemonic::cmpxchg && dice_.one_in(2)) c_.gpr[kEax] = c_.gpr[rm_];
  }

  bool is_bit_test() const {
    using enum Mnemonic;
    return row_.mnemonic == bt || row_.mnemonic == bts || row_.mnemonic == btr || row_.mnemonic == btc;
  }

  void prepare_bit_index(unsigned reg) {
    if (dice_.one_in(8)) return;
    const std::uint32_t index = dice_.below(4000) - 2000;
    set(reg, form_.operand_size == 4 ? index : (c_.gpr[reg] & 0xffff0000u) | (index & 0xffff));
  }

  std::uint32_t operand_place() {
    const unsigned size = memory_bytes(form_);
    unsigned align = size == 16 ? 16 : size == 512 ? 16 : dice_.one_in(2) ? std::min(size, 8u) : 1;
    std::uint32_t address = size == 512 && !dice_.one_in(8) ? kDataBase + 0x100 + dice_.below(0xa00) : place(size, align);
    if (align == 16 && !dice_.one_in(8)) address &= ~15u;
    // A locked access across two cache lines stalls the whole host.
    if (locked_ && (address & 63) + size > 64) address &= ~63u;
    return address;
  }

  std::uint16_t segment_for(bool stack) const {
    return c_.segment[override_ >= 0 ? static_cast<unsigned>(override_) : stack ? unsigned{kSs} : unsigned{kDs}];
  }

  void encode_memory(unsigned reg) {
    c_.operand = operand_ = operand_place();
    memory_ = open_window(operand_, content_for(form_, dice_));
    if (row_.mnemonic == Mnemonic::fxrstor) prepare_fx_image();
    if (address_size_ == 2) {
      encode_memory16(reg);
    } else {
      encode_memory32(reg);
    }
    if (row_.mnemonic == Mnemonic::cmpxchg && dice_.one_in(2)) std::memcpy(&c_.gpr[kEax], memory_, 4);
    if (row_.mnemonic == Mnemonic::cmpxchg8b && dice_.one_in(2)) {
      std::memcpy(&c_.gpr[kEax], memory_, 4);
      std::memcpy(&c_.gpr[kEdx], memory_ + 4, 4);
    }
  }

  /// The first bytes of an image to load: mostly with the reserved bits of MXCSR clear.
  void prepare_fx_image() {
    if (!dice_.one_in(16)) put(memory_ + 24, dice_.word() & 0xffff);
  }

  void encode_memory32(unsigned reg) {
    unsigned mod = dice_.below(3), rm, base, index, scale;
    std::uint8_t sib;
    do {
      base = rm = dice_.below(8);
      index = 8;
      scale = 0;
      sib = 0;
      if (rm == 4) {
        sib = dice_.byte();
        base = sib & 7;
        scale = sib >> 6;
        index = (sib >> 3 & 7) == 4 ? 8 : (sib >> 3 & 7);
      }
    } while (unknown(base) || unknown(index));
    const bool no_base = mod == 0 && base == 5;
    // A base that the row needs for something else keeps its value: the displacement makes up for it.
    if (!no_base && mod != 2 && (pinned_[base] || base == index)) mod = 2;
    const std::uint32_t offset = operand_ - segment_base(segment_for(!no_base && (base == kEsp || base == kEbp)));
    const auto small = static_cast<std::uint32_t>(static_cast<std::int32_t>(static_cast<std::int8_t>(dice_.byte())));
    if (!no_base && mod != 2) {
      const std::uint32_t scaled = index < 8 ? c_.gpr[index] << scale : 0;
      c_.gpr[base] = offset - scaled - (mod == 1 ? small : 0);
    }
    emit(static_cast<std::uint8_t>(mod << 6 | reg << 3 | rm));
    if (rm == 4) emit(sib);
    if (no_base || mod == 2) {
      emit_value(offset - (no_base ? 0 : c_.gpr[base]) - (index < 8 ? c_.gpr[index] << scale : 0), 4);
    } else if (mod == 1) {
      emit(static_cast<std::uint8_t>(small));
    }
  }

  void encode_memory16(unsigned reg) {
    constexpr std::uint8_t kBase[8] = {kEbx, kEbx, kEbp, kEbp, kEsi, kEdi, kEbp, kEbx};
    constexpr std::uint8_t kIndex[8] = {kEsi, kEdi, kEsi, kEdi, 8, 8, 8, 8};
    unsigned mod = dice_.below(3);
    unsigned rm = dice_.below(8);
    while (unknown(kBase[rm]) || unknown(kIndex[rm])) rm = 6;  // EBP alone, or a displacement
    const unsigned base = kBase[rm], index = kIndex[rm];
    const bool no_base = mod == 0 && rm == 6;
    if (pinned_[base] && !no_base) mod = 2;
    const std::uint32_t start = segment_base(segment_for(!no_base && base == kEbp)), offset = operand_ - start;
    c_.operand = start + (offset & 0xffff);
    const std::uint32_t indexed = index < 8 ? c_.gpr[index] : 0;
    const auto small = static_cast<std::uint32_t>(static_cast<std::int32_t>(static_cast<std::int8_t>(dice_.byte())));
    if (!no_base && mod != 2) c_.gpr[base] = (c_.gpr[base] & 0xffff0000u) | ((offset - indexed - (mod == 1 ? small : 0)) & 0xffff);
    emit(static_cast<std::uint8_t>(mod << 6 | reg << 3 | rm));
    if (no_base || mod == 2) {
      emit_value(offset - (no_base ? 0 : c_.gpr[base] + indexed), 2);
    } else if (mod == 1) {
      emit(static_cast<std::uint8_t>(small));
    }
  }

  void encode_operand(Operand o) {
    const unsigned size = form_.operand_size;
    switch (o) {
      case Operand::Ib: emit(immediate_byte()); break;
      case Operand::Ib2: emit(dice_.one_in(2) ? static_cast<std::uint8_t>(dice_.below(3)) : dice_.byte()); break;
      case Operand::sIb: emit(dice_.byte()); break;
      case Operand::Iw: emit_value(dice_.one_in(2) ? dice_.below(64) : dice_.word(), 2); break;
      case Operand::Iz: emit_value(integer_value(dice_), size); break;
      case Operand::Jb: emit_value(relative(1), 1); break;
      case Operand::Jz: emit_value(relative(size), size); break;
      case Operand::Ap: {
        const std::uint16_t selector = code_selector();
        emit_value(target_offset(selector), size);
        emit_value(selector, 2);
        break;
      }
      case Operand::Ob: case Operand::Ov:
        operand_ = operand_place();
        memory_ = open_window(operand_, Content::integers);
        emit_value(operand_ - segment_base(segment_for(false)), address_size_);
        break;
      default: break;
    }
  }

  std::uint8_t immediate_byte() {
    using enum Mnemonic;
    if (row_.mnemonic == int_) return interrupt_number();
    const bool double_shift = row_.mnemonic == shld || row_.mnemonic == shrd;
    if (double_shift && form_.operand_size == 2) return static_cast<std::uint8_t>(dice_.below(17) | (dice_.byte() & 0xe0));
    return dice_.one_in(2) ? static_cast<std::uint8_t>(dice_.below(36)) : dice_.byte();
  }

  std::uint8_t interrupt_number() {
    if (dice_.one_in(2)) return static_cast<std::uint8_t>(dice_.below(20));
    const std::uint8_t number = dice_.byte();
    return number == 0x80 ? 3 : number;
  }

  /// A displacement, as the last `size` bytes of the instruction.
  std::uint32_t relative(unsigned size) {
    const std::uint32_t end = c_.end() + size;
    const auto sane = [&](std::uint32_t displacement) {
      const std::uint32_t target = end + displacement;
      return displacement == 0 || (target - (c_.code_address - 1) >= 80 && target - kGateBase >= kGateSize);
    };
    for (unsigned attempt = 0; attempt < 16; ++attempt) {
      std::uint32_t displacement = dice_.one_in(6) ? 0 : dice_.one_in(3) && size > 1 ? integer_value(dice_) : dice_.below(0x200) - 0x100;
      if (size == 1) displacement = static_cast<std::uint32_t>(static_cast<std::int32_t>(static_cast<std::int8_t>(displacement)));
      if (size == 2) displacement = static_cast<std::uint32_t>(static_cast<std::int32_t>(static_cast<std::int16_t>(displacement)));
      if (sane(displacement)) return displacement;
    }
    return 0;
  }

  /// The value of the operand where it is an address, a selector or both.
  void place_system_operand() {
    using enum Mnemonic;
    const Mnemonic m = row_.mnemonic;
    const unsigned size = form_.operand_size;
    if ((m == call || m == jmp) && row_.operand[0] == Operand::Ev) {
      operand_value(target_offset(c_.segment[kCs]), size);
    } else if ((m == call_far || m == jmp_far) && form_.memory) {
      const std::uint16_t selector = code_selector();
      put_value(memory_, target_offset(selector), size);
      put_value(memory_ + size, selector, 2);
    } else if (m == les || m == lds || m == lss || m == lfs || m == lgs) {
      put_value(memory_ + size, any_selector(), 2);
    } else if (m == mov_to_seg || m == lar || m == lsl || m == verr || m == verw || m == lldt || m == ltr) {
      operand_value(any_selector(), 2);
    } else if (m == bound && dice_.one_in(2)) {
      const std::uint32_t value = c_.gpr[reg_];
      put_value(memory_, value - dice_.below(8) + 2, size);
      put_value(memory_ + size, value + dice_.below(8) - 2, size);
    }
  }

  void operand_value(std::uint32_t value, unsigned size) {
    if (form_.memory) {
      put_value(memory_, value, size);
    } else {
      put_value(reinterpret_cast<std::uint8_t*>(&c_.gpr[rm_]), value, size);
    }
  }

  const Form& form_;
  const InstructionRow& row_;
  Dice dice_;
  Case c_;
  std::array<bool, 9> pinned_{};
  unsigned written_ = 0;       // registers that the instructions in front write
  unsigned address_size_ = 4, low3_ = 0, rm_ = 0, reg_ = 0;
  int override_ = -1;          // segment register that a prefix names
  int string_segment_ = -1;    // DS, or -1 for FS by a prefix
  bool repeatable_ = false, locked_ = false;
  std::uint32_t stack_ = 0, operand_ = 0;
  std::uint8_t* memory_ = nullptr;  // content of the memory operand
  std::vector<std::uint8_t> prefixes_;
};

}  // namespace

Case make_case(const Form& form, std::uint64_t seed) { return Builder{form, seed}.build(); }

}  // namespace tuxarium::differential
