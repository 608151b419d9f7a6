// Every port range, interrupt input and frequency of the board, and nowhere else.
#pragma once

#include <cstdint>

#include "bus/port_bus.hpp"

namespace tuxarium::machine {

// Interrupt inputs: 0-7 on the master 8259A, 8-15 on the slave.
inline constexpr unsigned kIrqTimer = 0;
inline constexpr unsigned kIrqSerial1 = 3;
inline constexpr unsigned kIrqSerial0 = 4;
inline constexpr unsigned kIrqRtc = 8;
inline constexpr unsigned kIrqFpuError = 13;
inline constexpr unsigned kIrqIde = 14;

inline constexpr bus::PortRange kPicMasterPorts{.first = 0x020, .count = 2, .max_width = 1, .offset = 0};
inline constexpr bus::PortRange kPicSlavePorts{.first = 0x0a0, .count = 2, .max_width = 1, .offset = 2};
inline constexpr bus::PortRange kPitPorts{.first = 0x040, .count = 4, .max_width = 1, .offset = 0};
inline constexpr bus::PortRange kSystemControlPort{.first = 0x061, .count = 1, .max_width = 1, .offset = 0};
inline constexpr bus::PortRange kKeyboardDataPort{.first = 0x060, .count = 1, .max_width = 1, .offset = 0};
inline constexpr bus::PortRange kKeyboardCommandPort{.first = 0x064, .count = 1, .max_width = 1, .offset = 4};
inline constexpr bus::PortRange kRtcPorts{.first = 0x070, .count = 2, .max_width = 1, .offset = 0};
inline constexpr bus::PortRange kPostPort{.first = 0x080, .count = 1, .max_width = 1, .offset = 0};
inline constexpr bus::PortRange kIdeCommandPorts{.first = 0x1f0, .count = 8, .max_width = 4, .offset = 0};
inline constexpr bus::PortRange kIdeControlPort{.first = 0x3f6, .count = 1, .max_width = 1, .offset = 8};
inline constexpr bus::PortRange kSerial1Ports{.first = 0x2f8, .count = 8, .max_width = 1, .offset = 0};
inline constexpr bus::PortRange kClipboardPorts{.first = 0x3c0, .count = 16, .max_width = 4, .offset = 0};
inline constexpr bus::PortRange kSerial0Ports{.first = 0x3f8, .count = 8, .max_width = 1, .offset = 0};

/// Input clock of the 8254, in Hz.
inline constexpr std::int64_t kPitFrequency = 1'193'182;

/// Rate of the time-stamp counter with the host's clock as time source, in Hz.
inline constexpr std::int64_t kTscFrequency = 1'000'000'000;

}  // namespace tuxarium::machine
