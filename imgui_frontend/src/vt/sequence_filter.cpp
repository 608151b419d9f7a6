#include "sequence_filter.hpp"

#include <algorithm>
#include <charconv>

#include "utf8.hpp"
#include "zero_width.hpp"

namespace tuxarium::vt {
namespace {

constexpr unsigned char kBel = 0x07, kCan = 0x18, kSub = 0x1A, kEsc = 0x1B, kDel = 0x7F;
constexpr bool plain(std::byte b) {
  const auto v = std::to_integer<unsigned char>(b);
  return v < kDel && v != kEsc && v != 0;
}

}  // namespace

void SequenceFilter::write(std::span<const std::byte> bytes, SequenceSink& sink) {
  while (!bytes.empty()) {
    if (mode_ == Mode::ground && need_ == 0) {
      const auto end = std::find_if_not(bytes.begin(), bytes.end(), plain);
      const auto run = static_cast<std::size_t>(end - bytes.begin());
      if (run > 0) {
        flush(sink);
        sink.on_bytes({reinterpret_cast<const char*>(bytes.data()), run});
        zero_width_run_ = 0;
        const auto last = std::to_integer<unsigned char>(bytes[run - 1]);
        last_character_ = last >= 0x20 ? last : 0;
        bytes = bytes.subspan(run);
        continue;
      }
    }
    const auto b = std::to_integer<unsigned char>(bytes.front());
    bytes = bytes.subspan(1);
    switch (mode_) {
      case Mode::ground: ground(b, sink); break;
      case Mode::escape: escape(b, sink); break;
      case Mode::csi: csi(b, sink); break;
      case Mode::osc: osc(b, sink); break;
      case Mode::osc_escape:
        if (b == '\\') {
          finish_osc(sink);
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
      case Mode::string:
        if (b == kEsc) mode_ = Mode::string_escape;
        if (b == kCan || b == kSub) mode_ = Mode::ground;
        break;
      case Mode::string_escape:
        if (b == '\\') {
          mode_ = Mode::ground;
        } else {
          start_escape();
          escape(b, sink);
        }
        break;
    }
  }
  flush(sink);
}

void SequenceFilter::ground(unsigned char b, SequenceSink& sink) {
  if (need_ > 0) {
    utf8(b, sink);
  } else if (b == kEsc) {
    start_escape();
  } else if (b >= 0x80) {
    utf8_lead(b, sink);
  } else if (b != 0 && b != kDel) {
    const char c = static_cast<char>(b);
    put({&c, 1}, sink);
    zero_width_run_ = 0;
    last_character_ = b >= 0x20 ? b : 0;
  }
}

void SequenceFilter::utf8_lead(unsigned char b, SequenceSink& sink) {
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
    emit_code_point(kReplacementCharacter, sink);
  }
}

void SequenceFilter::utf8(unsigned char b, SequenceSink& sink) {
  if (b < lower_ || b > upper_) {
    need_ = 0;
    emit_code_point(kReplacementCharacter, sink);
    ground(b, sink);
    return;
  }
  partial_ = (partial_ << 6) | (b & 0x3F);
  lower_ = 0x80;
  upper_ = 0xBF;
  if (--need_ == 0) emit_code_point(partial_, sink);
}

void SequenceFilter::emit_code_point(char32_t code_point, SequenceSink& sink) {
  if (code_point >= 0x80 && code_point < 0xA0) return;
  if (is_zero_width(code_point)) {
    if (zero_width_run_ >= kMaxZeroWidthRun) return;
    ++zero_width_run_;
  } else {
    zero_width_run_ = 0;
    last_character_ = code_point;
  }
  std::array<char, 4> bytes{};
  put({bytes.data(), encode_utf8(code_point, bytes.data())}, sink);
}

void SequenceFilter::start_escape() {
  mode_ = Mode::escape;
  escape_intermediates_ = 0;
}

// Controls inside a sequence take effect at once and the sequence goes on, except those that end it.
bool SequenceFilter::c0(unsigned char b, SequenceSink& sink) {
  if (b == kEsc) {
    start_escape();
    return true;
  }
  if (b == kCan || b == kSub) {
    mode_ = Mode::ground;
    return true;
  }
  if (b != 0 && b < 0x20) {
    const char c = static_cast<char>(b);
    put({&c, 1}, sink);
  }
  return b < 0x20 || b == kDel;
}

void SequenceFilter::escape(unsigned char b, SequenceSink& sink) {
  if (c0(b, sink)) return;
  if (b < 0x30) {
    if (escape_intermediates_ < kMaxEscapeIntermediates) escape_intermediate_[escape_intermediates_] = static_cast<char>(b);
    ++escape_intermediates_;
    return;
  }
  mode_ = Mode::ground;
  if (b >= 0x80) {
    ground(b, sink);
    return;
  }
  if (escape_intermediates_ == 0) {
    switch (b) {
      case '[':
        mode_ = Mode::csi;
        sequence_ = {};
        sequence_bad_ = false;
        return;
      case ']':
        mode_ = Mode::osc;
        string_.clear();
        return;
      case 'P': case 'X': case '^': case '_':
        mode_ = Mode::string;
        return;
      case 'N': case 'O': case '\\':  // single shifts are not supported; a stray string terminator means nothing
        return;
      default: break;
    }
  }
  if (escape_intermediates_ > kMaxEscapeIntermediates) return;
  std::array<char, 2 + kMaxEscapeIntermediates> bytes{static_cast<char>(kEsc)};
  std::copy_n(escape_intermediate_.begin(), escape_intermediates_, bytes.begin() + 1);
  bytes[1 + escape_intermediates_] = static_cast<char>(b);
  put({bytes.data(), 2 + escape_intermediates_}, sink);
  flush(sink);
  if (escape_intermediates_ == 0) sink.on_escape(static_cast<char>(b));
}

void SequenceFilter::csi(unsigned char b, SequenceSink& sink) {
  if (c0(b, sink)) return;
  auto& s = sequence_;
  if (b >= 0x80) {
    mode_ = Mode::ground;
    ground(b, sink);
  } else if (b >= '<' && b <= '?') {
    if (s.leader != 0 || s.count > 0 || s.intermediate != 0) sequence_bad_ = true;
    s.leader = static_cast<char>(b);
  } else if (b < 0x30) {
    if (s.intermediate != 0) sequence_bad_ = true;
    s.intermediate = static_cast<char>(b);
  } else if (b < 0x40) {
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
  } else {
    s.final_byte = static_cast<char>(b);
    mode_ = Mode::ground;
    if (!sequence_bad_) finish_csi(sink);
  }
}

// ECMA-48 8.3.103: the preceding graphic character once more, or as often as the argument says.
void SequenceFilter::repeat_character(SequenceSink& sink) {
  const char32_t character = last_character_;
  if (character == 0) return;
  const int wanted = sequence_.count > 0 ? std::max(sequence_.argument[0], 1) : 1;
  for (int i = 0; i < std::min(wanted, kMaxRepeat); ++i) emit_code_point(character, sink);
  last_character_ = 0;
}

void SequenceFilter::finish_csi(SequenceSink& sink) {
  auto& s = sequence_;
  if (s.final_byte == 'b' && s.leader == 0 && s.intermediate == 0) {
    repeat_character(sink);
    return;
  }
  s.count = std::min(s.count, ControlSequence::kMaxArguments);
  if (s.count > 0) s.more[s.count - 1] = false;
  std::array<char, 128> bytes{static_cast<char>(kEsc), '['};
  char* at = bytes.data() + 2;
  if (s.leader != 0) *at++ = s.leader;
  for (std::size_t i = 0; i < s.count; ++i) {
    if (i > 0) *at++ = s.more[i - 1] ? ':' : ';';
    if (s.argument[i] >= 0) at = std::to_chars(at, bytes.data() + bytes.size(), s.argument[i]).ptr;
  }
  if (s.intermediate != 0) *at++ = s.intermediate;
  *at++ = s.final_byte;
  put({bytes.data(), static_cast<std::size_t>(at - bytes.data())}, sink);
  flush(sink);
  sink.on_control_sequence(s);
}

void SequenceFilter::osc(unsigned char b, SequenceSink& sink) {
  if (string_.empty() && b == 'P') {
    mode_ = Mode::linux_palette;
    palette_digits_ = 0;
  } else if (string_.empty() && b == 'R') {
    mode_ = Mode::ground;
  } else if (b == kBel) {
    finish_osc(sink);
  } else if (b == kEsc) {
    mode_ = Mode::osc_escape;
  } else if (b == kCan || b == kSub) {
    mode_ = Mode::ground;
  } else if (b >= 0x20 && b != kDel && string_.size() < kMaxStringKept) {
    string_.push_back(static_cast<char>(b));
  }
}

void SequenceFilter::finish_osc(SequenceSink& sink) {
  mode_ = Mode::ground;
  const std::string_view text{string_};
  if (text.starts_with("0;") || text.starts_with("2;")) {
    flush(sink);
    std::string title;
    for (auto rest = text.substr(2); !rest.empty();) {
      const char32_t c = take_utf8(rest);
      std::array<char, 4> bytes{};
      const auto size = encode_utf8(c, bytes.data());
      if (title.size() + size > kMaxTitle) break;
      if (c < 0x80 || c >= 0xA0) title.append(bytes.data(), size);
    }
    sink.on_title(title);
  }
}

void SequenceFilter::put(std::string_view bytes, SequenceSink& sink) {
  if (out_size_ + bytes.size() > out_.size()) flush(sink);
  std::copy(bytes.begin(), bytes.end(), out_.begin() + static_cast<std::ptrdiff_t>(out_size_));
  out_size_ += bytes.size();
}

void SequenceFilter::flush(SequenceSink& sink) {
  if (out_size_ == 0) return;
  const std::size_t size = out_size_;
  out_size_ = 0;
  sink.on_bytes({out_.data(), size});
}

}  // namespace tuxarium::vt
