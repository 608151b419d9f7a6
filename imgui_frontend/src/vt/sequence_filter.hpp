// Stands between untrusted bytes and libvterm: lets through only what libvterm 0.1 handles safely.
// Documents: ECMA-48 5th edition (control sequence syntax, section 5.4; control strings, 5.6), RFC 3629 (UTF-8), xterm's
// "Control Sequences" (OSC 0 and 2), console_codes(4) for the unterminated OSC P and OSC R of the Linux console.
//
// * Text leaves as well-formed UTF-8; wrong bytes become U+FFFD; C1 code points and more than kMaxZeroWidthRun marks in a row are dropped.
// * Control sequences leave complete, with at most kMaxArguments parameters of at most kMaxArgument.
// * REP, at which libvterm 0.1 can hang, leaves as repeated text, at most kMaxRepeat characters.
// * Control strings (OSC, DCS, SOS, PM, APC) never leave; a title is reported, with a bounded length.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tuxarium::vt {

/// A complete control sequence. A missing argument is -1.
struct ControlSequence {
  static constexpr std::size_t kMaxArguments = 16;
  static constexpr int kMaxArgument = 9999;

  char leader = 0;        ///< one of `<=>?`, or 0
  char intermediate = 0;  ///< 0x20 to 0x2f, or 0
  char final_byte = 0;
  std::array<int, kMaxArguments> argument{};
  std::array<bool, kMaxArguments> more{};  ///< the argument was followed by a colon
  std::size_t count = 0;                   ///< arguments in use; 0 when there was none
};

/// Where the filter's output goes. Called in the order of the input.
class SequenceSink {
 public:
  /// Bytes for the parser: text and single controls, or one whole escape or control sequence.
  virtual void on_bytes(std::string_view bytes) = 0;

  /// After on_bytes() of the same control sequence.
  virtual void on_control_sequence(const ControlSequence& sequence) = 0;

  /// After on_bytes() of the same escape sequence, one without intermediate bytes.
  virtual void on_escape(char final_byte) = 0;

  /// OSC 0 or OSC 2: UTF-8 without control characters, at most SequenceFilter::kMaxTitle bytes.
  virtual void on_title(std::string_view title) = 0;

 protected:
  ~SequenceSink() = default;
};

class SequenceFilter {
 public:
  static constexpr std::size_t kMaxTitle = 256;        ///< bytes; the rest of a longer title is dropped
  static constexpr unsigned kMaxZeroWidthRun = 8;      ///< marks on one character; further ones are dropped

  static constexpr int kMaxRepeat = 200;               ///< characters made by one REP

  void write(std::span<const std::byte> bytes, SequenceSink& sink);

 private:
  enum class Mode : std::uint8_t { ground, escape, csi, osc, osc_escape, linux_palette, string, string_escape };

  static constexpr std::size_t kMaxEscapeIntermediates = 2;
  static constexpr std::size_t kMaxStringKept = kMaxTitle + 16;

  void ground(unsigned char b, SequenceSink& sink);
  void utf8(unsigned char b, SequenceSink& sink);
  void utf8_lead(unsigned char b, SequenceSink& sink);
  void emit_code_point(char32_t code_point, SequenceSink& sink);
  void escape(unsigned char b, SequenceSink& sink);
  void csi(unsigned char b, SequenceSink& sink);
  void finish_csi(SequenceSink& sink);
  void repeat_character(SequenceSink& sink);
  void osc(unsigned char b, SequenceSink& sink);
  void finish_osc(SequenceSink& sink);
  bool c0(unsigned char b, SequenceSink& sink);
  void start_escape();
  void put(std::string_view bytes, SequenceSink& sink);
  void flush(SequenceSink& sink);

  Mode mode_ = Mode::ground;
  // UTF-8 decoder: bytes still to come, the value so far, and the range that the next byte must be in.
  unsigned need_ = 0;
  char32_t partial_ = 0;
  unsigned char lower_ = 0x80, upper_ = 0xBF;
  unsigned zero_width_run_ = 0;
  char32_t last_character_ = 0;  // for REP; 0 after a control
  std::array<char, kMaxEscapeIntermediates> escape_intermediate_{};
  std::size_t escape_intermediates_ = 0;
  ControlSequence sequence_;
  bool sequence_bad_ = false;
  unsigned palette_digits_ = 0;
  std::string string_;  // holds at most kMaxStringKept bytes of an OSC; the rest is dropped
  std::array<char, 512> out_{};
  std::size_t out_size_ = 0;
};

}  // namespace tuxarium::vt
