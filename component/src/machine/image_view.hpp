// Reading little-endian fields of an untrusted boot image.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <tuxarium/result.hpp>

namespace tuxarium::machine {

/// A view of an image with a name for error sentences ("the kernel").
class ImageView {
 public:
  ImageView(std::span<const std::byte> bytes, std::string name) : bytes_{bytes}, name_{std::move(name)} {}

  std::uint64_t size() const { return bytes_.size(); }
  bool contains(std::uint64_t at, std::uint64_t count) const { return at <= size() && count <= size() - at; }

  /// The value of 1 to 4 bytes at `at`, which the image must contain.
  std::uint32_t number(std::uint64_t at, unsigned width) const {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < width; ++i) value |= std::to_integer<std::uint32_t>(bytes_[static_cast<std::size_t>(at + i)]) << (8 * i);
    return value;
  }
  std::uint32_t u8(std::uint64_t at) const { return number(at, 1); }
  std::uint32_t u16(std::uint64_t at) const { return number(at, 2); }
  std::uint32_t u32(std::uint64_t at) const { return number(at, 4); }

  /// `count` bytes at `at`, which the image must contain.
  std::span<const std::byte> slice(std::uint64_t at, std::uint64_t count) const {
    return bytes_.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(count));
  }

  /// An error unless the image contains the range that holds `what`.
  Result<void> require(std::uint64_t at, std::uint64_t count, const std::string& what) const {
    if (contains(at, count)) return {};
    return Error{ErrorCode::bad_image, "The image of " + name_ + " is truncated: it has " + std::to_string(size()) + " bytes, and " + what +
                                           " takes " + std::to_string(count) + " bytes from byte " + std::to_string(at) + "."};
  }

  Error bad(const std::string& what) const { return {ErrorCode::bad_image, "The image of " + name_ + " is malformed: " + what + "."}; }
  Error unsupported(const std::string& what) const { return {ErrorCode::unsupported, "Cannot start " + name_ + ": " + what + "."}; }
  const std::string& name() const { return name_; }

 private:
  std::span<const std::byte> bytes_;
  std::string name_;
};

}  // namespace tuxarium::machine
