// Where the library says what it noticed.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace tuxarium {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

/// Receives one line without a line end. Called on the thread that is inside a call of the library; must not call back into it.
/// An empty LogSink drops everything. The library itself never writes to stdout or stderr.
using LogSink = std::function<void(LogLevel, std::string_view)>;

}  // namespace tuxarium
