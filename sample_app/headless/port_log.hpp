// `--port-log`: the bytes that the guest writes to some I/O ports, in a file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tuxarium/inspect.hpp>
#include <tuxarium/result.hpp>

#include "output_file.hpp"

namespace tuxarium::app {

/// `FILE:PORT` or `FILE:PORT-PORT`; ports are decimal, or hexadecimal behind 0x. FILE may hold colons.
struct PortLogSpec {
  std::string file;
  std::uint16_t first = 0, last = 0;
};
Result<PortLogSpec> parse_port_log(std::string_view text);

/// Writes of 16 and 32 bits become 2 and 4 bytes, lowest first.
class PortLog {
 public:
  PortLog(OutputFile file, PortLogSpec spec) : file_{std::move(file)}, spec_{std::move(spec)} {}

  /// Empties the file and watches the ports. The log must outlive the machine's running.
  void start(Machine& machine);

  /// Writes what has gathered. The caller does so after each slice, so that the buffer stays as small as a slice.
  Result<void> flush();

  void note(const PortAccess& access);

 private:
  OutputFile file_;
  PortLogSpec spec_;
  std::vector<std::byte> buffer_;
};

}  // namespace tuxarium::app
