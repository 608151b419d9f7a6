// The host's end of one of the guest's serial ports.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tuxarium {

/// The other end of the wire of a UART. The host pulls what the guest sent and pushes what it shall receive; both directions
/// are bounded queues, and nothing here ever blocks. Threading: between calls of Machine::run(), on the same thread.
class SerialPort {
 public:
  SerialPort(const SerialPort&) = delete;
  SerialPort& operator=(const SerialPort&) = delete;

  /// Moves up to `out.size()` bytes that the guest has sent into `out` and returns how many. When the host does not read,
  /// the queue fills and the guest's transmitter waits: nothing is lost.
  virtual std::size_t read(std::span<std::byte> out) = 0;

  /// Queues bytes for the guest and returns how many fitted; the rest is the caller's to offer again.
  virtual std::size_t write(std::span<const std::byte> data) = 0;

  /// Bytes that read() would deliver now.
  virtual std::size_t readable() const = 0;

  /// Bytes that write() would accept now.
  virtual std::size_t writable() const = 0;

  /// All bytes that the guest has sent and received since the machine was made.
  virtual std::uint64_t bytes_from_guest() const = 0;
  virtual std::uint64_t bytes_to_guest() const = 0;

 protected:
  SerialPort() = default;
  ~SerialPort() = default;
};

}  // namespace tuxarium
