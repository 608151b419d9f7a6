// The text that host and guest exchange through the guest's /dev/clipboard.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace tuxarium {

/// The host's side of the clipboard port. Text is bytes, UTF-8 by convention; neither side converts it.
/// Threading: called only inside Machine::run().
class Clipboard {
 public:
  Clipboard() = default;
  Clipboard(const Clipboard&) = delete;
  Clipboard& operator=(const Clipboard&) = delete;
  virtual ~Clipboard() = default;

  /// The text that the guest reads now. The view must stay valid until the next call of either function.
  virtual std::string_view text_for_guest() = 0;

  /// The guest has finished a write of `text`.
  virtual void text_from_guest(std::string_view text) = 0;
};

/// One text box for both directions, as in jslinux-tap: the guest reads what is in it, and what the guest writes replaces it.
/// Threading: the host changes it on the thread that calls Machine::run(), between two calls.
class ClipboardBuffer final : public Clipboard {
 public:
  const std::string& text() const noexcept { return text_; }

  /// Replaces the text; does not count as written by the guest.
  void set_text(std::string text) { text_ = std::move(text); }

  /// How many times the guest has replaced the text.
  std::uint64_t guest_writes() const noexcept { return guest_writes_; }

  std::string_view text_for_guest() override { return text_; }
  void text_from_guest(std::string_view text) override {
    text_.assign(text);
    ++guest_writes_;
  }

 private:
  std::string text_;
  std::uint64_t guest_writes_ = 0;
};

}  // namespace tuxarium
