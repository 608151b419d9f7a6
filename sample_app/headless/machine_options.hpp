// The command-line options that describe a machine, shared by tuxarium-run and the viewer.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <tuxarium/http_disk.hpp>
#include <tuxarium/machine.hpp>
#include <tuxarium/result.hpp>

#include "network_options.hpp"

namespace CLI {
class App;
}

namespace tuxarium::app {

/// A number of bytes such as `16M`, `512k`, `1G` or `1048576`; suffixes are powers of 1024, in either case.
Result<std::uint64_t> parse_size(std::string_view text);

/// `dir:PATH`, `file:PATH`, a URL that begins with `http://` or `https://`, or `none`, with `,ro` or `,rw` at the end of a file's or a URL.
/// Only that ending is an option: commas and blanks inside PATH belong to it, and a file whose name ends in `,ro` is written `file:NAME,ro,rw`.
struct DiskSpec {
  enum class Kind : std::uint8_t { none, directory, file, web };
  Kind kind = Kind::none;
  std::string path;  ///< or the URL
  bool read_only = false;
};
Result<DiskSpec> parse_disk_spec(std::string_view text);

/// `host`, `cycles`, or `cycles:RATE` with the guest's instructions in one of its seconds, such as `cycles:10M` (K, M, G: powers of 1000).
struct ClockSpec {
  TimeSource source = TimeSource::host_clock;
  std::optional<std::uint64_t> rate;
};
Result<ClockSpec> parse_clock(std::string_view text);

/// What follows `--boot`: the part before the first colon and the rest. Nothing at all, or `default`, is the Linux inside the program.
struct BootSpec {
  enum class Kind : std::uint8_t { own_guest, jslinux, linux_kernel, rom, multiboot };
  Kind kind = Kind::jslinux;
  std::string path;
};
Result<BootSpec> parse_boot_spec(std::string_view text);

/// In characters.
struct WindowSize {
  unsigned rows = 30, columns = 80;
};

/// Adds the options to a command line, and makes a Config of them. Must outlive the App's parsing. Reads files, writes none
/// but the overlay (`--hda file:` opens the image for writing).
class MachineOptions {
 public:
  void add_to(CLI::App& app);

  /// What `--boot` was given, for messages; `default` when it was not.
  std::string boot() const { return boot_.empty() ? "default" : boot_; }

  /// The time source asked for, as far as it is well-formed.
  TimeSource time_source() const { return clock_.starts_with("cycles") ? TimeSource::cycles : TimeSource::host_clock; }

  /// The window that the guest's console is seen in: told to the Linux inside the program, unless `--append` says all that it is told.
  void set_window(WindowSize window) { window_ = window; }

  /// For a progress display: told of drives over HTTP that build() opens. May be null.
  void set_disk_monitors(std::shared_ptr<HttpDiskMonitor> hda, std::shared_ptr<HttpDiskMonitor> hdb) { monitors_ = {std::move(hda), std::move(hdb)}; }

  /// Whether a disk is on a web server, so that build() may take some seconds.
  bool has_web_disk() const;

  /// Boot image, disks and the network are opened here; a disk over HTTP may take some seconds. The clipboard is left for the caller. With `serial1_taken` the caller uses ttyS1
  /// itself: then there is no network, and a `--net` that asks for one is an error. `log` becomes the machine's and that of disks over HTTP.
  Result<Config> build(bool serial1_taken = false, const LogSink& log = {}) const;

 private:
  Result<BootSource> load_boot(const BootSpec& spec) const;
  Result<BootSource> load_own_guest() const;
  Result<std::unique_ptr<BlockDevice>> open_read_only(const DiskSpec& spec, unsigned drive, const LogSink& log) const;
  Result<std::unique_ptr<BlockDevice>> open_disk(const DiskSpec& spec, unsigned drive, const LogSink& log) const;
  Result<void> check_web_options(bool web_disk) const;

  std::string boot_, initrd_, append_, hda_, hdb_, overlay_, disk_cache_, disk_ca_;
  std::string ram_ = "16M";
  std::string clock_ = "host";
  std::string cpu_ = "full";
  std::vector<std::string> cpu_add_;
  std::optional<std::uint64_t> seed_;
  std::optional<WindowSize> window_;
  NetworkOptions network_;
  std::array<std::shared_ptr<HttpDiskMonitor>, 2> monitors_;
};

}  // namespace tuxarium::app
