// Splits untrusted bytes into text and complete control functions.
// Documents: ECMA-48 5th edition (control sequence syntax, section 5.4; control strings, 5.6), RFC 3629 (UTF-8), DEC STD 070 chapter 3 (what
// ends a sequence), console_codes(4) for the unterminated OSC P and OSC R of the Linux console, VT100 user guide for VT52 sequences.
//
// * Malformed UTF-8 becomes U+FFFD. C1 controls count when they come as UTF-8.
// * Sequences arrive with at most kMaxArguments parameters of at most kMaxArgument.
// * Control strings arrive whole or, beyond kMaxString bytes, not at all; SOS, PM and APC never.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "utf8.hpp"

namespace tuxarium::vt {

/// A complete control sequence. A missing argument is -1.
struct ControlSequence {
  static constexpr std::size_t kMaxArguments = 32;
  static constexpr int kMaxArgument = 65535;

  char leader = 0;        ///< one of `<=>?`, or 0
  char intermediate = 0;  ///< 0x20 to 0x2f, or 0
  char final_byte = 0;
  std::array<int, kMaxArguments> argument{};
  std::array<bool, kMaxArguments> more{};  ///< the argument was followed by a colon
  std::size_t count = 0;                   ///< arguments in use; 0 when there was none

  /// Argument `i`, or `standard` where it is missing or 0.
  int at(std::size_t i, int standard) const { return i < count && argument[i] > 0 ? argument[i] : standard; }
};

/// `Sink` has
///   on_ascii(std::string_view)                             characters 0x20 to 0x7e
///   on_character(char32_t)                                 any other character; never a control
///   on_control(unsigned char)                              C0, without NUL, ESC, CAN and SUB
///   on_escape(char intermediate, char final)               an escape sequence; intermediate 0: none. C1 controls arrive as ESC and 0x40 to 0x5f
///   on_control_sequence(const ControlSequence&)
///   on_operating_system_command(std::string_view)
///   on_device_control_string(const ControlSequence&, std::string_view)   the sequence that began it, and its data
///   on_vt52(char final, int row, int column)               a sequence of the VT52; row and column for `Y`
///   bool interrupted()                                     whether to stop here
/// all called in the order of the input.
template <class Sink>
class Parser {
 public:
  static constexpr std::size_t kMaxString = 1u << 20;

  /// Returns what is left: the sink may end a call with `bool interrupted()`, which is asked after each byte of a sequence.
  std::span<const std::byte> write(std::span<const std::byte> bytes, Sink& sink) {
    while (!bytes.empty() && !sink.interrupted()) {
      if (mode_ == Mode::ground && need_ == 0) {
        std::size_t run = 0;
        while (run < bytes.size() && printable(bytes[run])) ++run;
        if (run > 0) {
          sink.on_ascii({reinterpret_cast<const char*>(bytes.data()), run});
          bytes = bytes.subspan(run);
          continue;
        }
        // Line ends, and what else is complete in one byte.
        if (const auto control = std::to_integer<unsigned char>(bytes.front()); control > 0 && control < kCan) {
          sink.on_control(control);
          bytes = bytes.subspan(1);
          continue;
        }
      }
      const auto b = std::to_integer<unsigned char>(bytes.front());
      bytes = bytes.subspan(1);
      step(b, sink);
    }
    return bytes;
  }

  /// Sequences are those of the VT52 from now on, or those of ECMA-48 again.
  void set_vt52(bool on) { vt52_ = on; }

  void reset() { *this = {}; }

 private:
  enum class Mode : std::uint8_t { ground, escape, csi, osc, dcs_head, dcs, ignored_string, string_escape, linux_palette, vt52_row, vt52_column };

  static constexpr unsigned char kBel = 0x07, kCan = 0x18, kSub = 0x1A, kEsc = 0x1B, kDel = 0x7F;
  static constexpr std::size_t kKeptCapacity = 4096;

  static constexpr bool printable(std::byte b) {
    const auto v = std::to_integer<unsigned char>(b);
    return v >= 0x20 && v < kDel;
  }

  void step(unsigned char b, Sink& sink) {
    switch (mode_) {
      case Mode::ground: ground(b, sink); break;
      case Mode::escape: escape(b, sink); break;
      case Mode::csi: csi(b, sink); break;
      case Mode::dcs_head: csi(b, sink); break;
      case Mode::osc: osc(b, sink); break;
      case Mode::dcs: string(b); break;
      case Mode::ignored_string:
        if (b == kEsc) string_escape(Mode::ignored_string);
        if (b == kCan || b == kSub) mode_ = Mode::ground;
        break;
      case Mode::string_escape:
        mode_ = Mode::ground;
        if (b == '\\') {
          finish_string(sink);
        } else {
          start_escape();
          escape(b, sink);
        }
        break;
      case Mode::linux_palette:
        if (b == kEsc) {
          start_escape();
        } else if (b < 0x20 || ++palette_digits_ == 7) {
          mode_ = Mode::ground;
        }
        break;
      case Mode::vt52_row:
        vt52_row_ = b - 0x20;
        mode_ = Mode::vt52_column;
        break;
      case Mode::vt52_column:
        mode_ = Mode::ground;
        sink.on_vt52('Y', vt52_row_, b - 0x20);
        break;
    }
  }

  void ground(unsigned char b, Sink& sink) {
    if (need_ > 0) {
      utf8(b, sink);
    } else if (b >= 0x80) {
      utf8_lead(b, sink);
    } else if (b >= 0x20 && b != kDel) {
      const char c = static_cast<char>(b);
      sink.on_ascii({&c, 1});
    } else {
      c0(b, sink);
    }
  }

  void utf8_lead(unsigned char b, Sink& sink) {
    lower_ = 0x80;
    upper_ = 0xBF;
    if (b >= 0xC2 && b <= 0xDF) {
      need_ = 1;
      partial_ = b & 0x1F;
    } else if (b >= 0xE0 && b <= 0xEF) {
      need_ = 2;
      partial_ = b & 0x0F;
      if (b == 0xE0) lower_ = 0xA0;
      if (b == 0xED) upper_ = 0x9F;
    } else if (b >= 0xF0 && b <= 0xF4) {
      need_ = 3;
      partial_ = b & 0x07;
      if (b == 0xF0) lower_ = 0x90;
      if (b == 0xF4) upper_ = 0x8F;
    } else {
      sink.on_character(kReplacementCharacter);
    }
  }

  void utf8(unsigned char b, Sink& sink) {
    if (b < lower_ || b > upper_) {
      need_ = 0;
      sink.on_character(kReplacementCharacter);
      ground(b, sink);
      return;
    }
    partial_ = (partial_ << 6) | (b & 0x3F);
    lower_ = 0x80;
    upper_ = 0xBF;
    if (--need_ > 0) return;
    if (partial_ >= 0xA0) {
      sink.on_character(partial_);
    } else if (!vt52_) {
      start_escape();
      escape(static_cast<unsigned char>(partial_ - 0x40), sink);
    }
  }

  void start_escape() {
    mode_ = Mode::escape;
    intermediate_ = 0;
    intermediates_ = 0;
  }

  // Controls inside a sequence take effect at once and the sequence goes on, except those that end it.
  bool c0(unsigned char b, Sink& sink) {
    if (b == kEsc) {
      start_escape();
      return true;
    }
    if (b == kCan || b == kSub) {
      mode_ = Mode::ground;
      return true;
    }
    if (b != 0 && b < 0x20) sink.on_control(b);
    return b < 0x20 || b == kDel;
  }

  void escape(unsigned char b, Sink& sink) {
    if (c0(b, sink)) return;
    if (b >= 0x80) {
      mode_ = Mode::ground;
      ground(b, sink);
    } else if (vt52_) {
      mode_ = b == 'Y' ? Mode::vt52_row : Mode::ground;
      if (b != 'Y') sink.on_vt52(static_cast<char>(b), 0, 0);
    } else if (b < 0x30) {
      intermediate_ = static_cast<char>(b);
      ++intermediates_;
    } else {
      mode_ = Mode::ground;
      if (intermediates_ == 0 && opens_string(b)) return;
      if (intermediates_ <= 1) sink.on_escape(intermediate_, static_cast<char>(b));
    }
  }

  bool opens_string(unsigned char b) {
    switch (b) {
      case '[': mode_ = Mode::csi; break;
      case 'P': mode_ = Mode::dcs_head; break;
      case ']': mode_ = Mode::osc; break;
      case 'X': case '^': case '_': mode_ = Mode::ignored_string; break;
      default: return false;
    }
    sequence_ = {};
    sequence_bad_ = false;
    clear_string();
    return true;
  }

  void csi(unsigned char b, Sink& sink) {
    auto& s = sequence_;
    if (mode_ == Mode::csi ? c0(b, sink) : string_control(b)) return;
    if (b >= 0x80) {
      mode_ = mode_ == Mode::csi ? Mode::ground : Mode::ignored_string;
      if (mode_ == Mode::ground) ground(b, sink);
    } else if (b >= '<' && b <= '?') {
      if (s.leader != 0 || s.count > 0 || s.intermediate != 0) sequence_bad_ = true;
      s.leader = static_cast<char>(b);
    } else if (b < 0x30) {
      if (s.intermediate != 0) sequence_bad_ = true;
      s.intermediate = static_cast<char>(b);
    } else if (b < 0x40) {
      parameter(b);
    } else {
      s.final_byte = static_cast<char>(b);
      s.count = std::min(s.count, ControlSequence::kMaxArguments);
      if (s.count > 0) s.more[s.count - 1] = false;
      if (mode_ == Mode::dcs_head) {
        mode_ = sequence_bad_ ? Mode::ignored_string : Mode::dcs;
      } else {
        mode_ = Mode::ground;
        if (!sequence_bad_) sink.on_control_sequence(s);
      }
    }
  }

  void parameter(unsigned char b) {
    auto& s = sequence_;
    if (s.intermediate != 0) sequence_bad_ = true;
    if (s.count == 0) s.argument[s.count++] = -1;
    if (b == ';' || b == ':') {
      if (s.count <= ControlSequence::kMaxArguments) s.more[s.count - 1] = b == ':';
      // Arguments beyond the last place are counted, so that their digits go nowhere.
      if (s.count < ControlSequence::kMaxArguments) s.argument[s.count] = -1;
      s.count = std::min(s.count + 1, ControlSequence::kMaxArguments + 1);
    } else if (s.count <= ControlSequence::kMaxArguments) {
      int& value = s.argument[s.count - 1];
      value = std::min(std::max(value, 0) * 10 + (b - '0'), ControlSequence::kMaxArgument);
    }
  }

  // Inside a control string no other control takes effect.
  bool string_control(unsigned char b) {
    if (b == kEsc) {
      string_escape(mode_ == Mode::dcs_head ? Mode::ignored_string : mode_);
    } else if (b == kCan || b == kSub) {
      mode_ = Mode::ground;
    }
    return b < 0x20 || b == kDel;
  }

  void string_escape(Mode ended) {
    ended_string_ = ended;
    mode_ = Mode::string_escape;
  }

  void string(unsigned char b) {
    if (string_control(b)) return;
    if (string_.size() < kMaxString) {
      string_.push_back(static_cast<char>(b));
    } else {
      string_too_long_ = true;
    }
  }

  void osc(unsigned char b, Sink& sink) {
    if (string_.empty() && b == 'P') {
      mode_ = Mode::linux_palette;
      palette_digits_ = 0;
    } else if (string_.empty() && b == 'R') {
      mode_ = Mode::ground;
    } else if (b == kBel) {
      mode_ = Mode::ground;
      ended_string_ = Mode::osc;
      finish_string(sink);
    } else {
      string(b);
    }
  }

  void finish_string(Sink& sink) {
    if (!string_too_long_ && ended_string_ == Mode::osc) sink.on_operating_system_command(string_);
    if (!string_too_long_ && ended_string_ == Mode::dcs) sink.on_device_control_string(sequence_, string_);
    clear_string();
  }

  void clear_string() {
    string_too_long_ = false;
    string_.clear();
    if (string_.capacity() > kKeptCapacity) string_.shrink_to_fit();
  }

  Mode mode_ = Mode::ground;
  Mode ended_string_ = Mode::ground;
  bool vt52_ = false;
  // UTF-8 decoder: bytes still to come, the value so far, and the range that the next byte must be in.
  unsigned need_ = 0;
  char32_t partial_ = 0;
  unsigned char lower_ = 0x80, upper_ = 0xBF;
  char intermediate_ = 0;
  unsigned intermediates_ = 0;
  ControlSequence sequence_;
  bool sequence_bad_ = false;
  unsigned palette_digits_ = 0;
  int vt52_row_ = 0;
  std::string string_;  // holds at most kMaxString bytes; a longer string is dropped
  bool string_too_long_ = false;
};

}  // namespace tuxarium::vt
