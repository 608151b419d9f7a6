// Pieces of the sentences that these programs say to people.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include <tuxarium/result.hpp>

namespace tuxarium::app {

inline std::string in_quotes(std::string_view text) { return '"' + std::string{text} + '"'; }

/// What `errno` means, in words.
inline std::string errno_text(int number = errno) { return std::system_category().message(number); }

inline Error usage_error(std::string message) { return Error{ErrorCode::invalid_argument, std::move(message)}; }

inline Error io_error(std::string message) { return Error{ErrorCode::io, std::move(message)}; }

}  // namespace tuxarium::app
