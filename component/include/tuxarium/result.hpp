// Result<T>: a value or an Error with a sentence for people. For host-side failures only (configuration, files, images);
// nothing that a guest does is reported this way.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace tuxarium {

/// What kind of thing went wrong; the message says which one and why.
enum class ErrorCode {
  invalid_argument,  ///< a value in a configuration or a call is out of its range
  not_found,         ///< a file or folder does not exist
  io,                ///< the operating system refused or failed to read or write
  bad_image,         ///< a kernel, ROM, disk or manifest is malformed or truncated
  unsupported,       ///< well-formed, but not something this version can do
};

/// A failure: `message` is one complete sentence that names what was wrong with what.
struct Error {
  ErrorCode code = ErrorCode::invalid_argument;
  std::string message;
};

/// Either a T or an Error. `value()` and `error()` assert that the respective one is held.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_{std::in_place_index<0>, std::move(value)} {}
  Result(Error error) : content_{std::in_place_index<1>, std::move(error)} {}

  bool has_value() const noexcept { return content_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& value() & {
    assert(has_value());
    return *std::get_if<0>(&content_);
  }
  const T& value() const& {
    assert(has_value());
    return *std::get_if<0>(&content_);
  }
  T&& value() && {
    assert(has_value());
    return std::move(*std::get_if<0>(&content_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    assert(!has_value());
    return *std::get_if<1>(&content_);
  }

 private:
  std::variant<T, Error> content_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_{std::move(error)} {}

  bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  const Error& error() const {
    assert(error_.has_value());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace tuxarium
