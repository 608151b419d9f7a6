// C escapes in the text of `--send`.
#pragma once

#include <string>
#include <string_view>

#include <tuxarium/result.hpp>

namespace tuxarium::app {

/// Replaces \n \r \t \a \b \f \v \e \\ \" \' \? \xHH (one or two hexadecimal digits) and \NNN (one to three octal digits, at most \377) by
/// their bytes. Any other escape, or a backslash at the end, is an error that names it.
Result<std::string> unescape(std::string_view text);

}  // namespace tuxarium::app
