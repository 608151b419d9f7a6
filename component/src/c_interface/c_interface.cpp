// The functions of tuxarium.h: each turns its arguments into those of the C++ interface, and what comes back into plain values. Exceptions,
// which the standard library throws when memory runs out, end here.
#include <tuxarium.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <tuxarium/boot.hpp>
#include <tuxarium/disk.hpp>
#include <tuxarium/machine.hpp>
#include <tuxarium/version.hpp>

#ifdef TUXARIUM_HAS_GUEST
#include <tuxarium/default_guest.hpp>
#endif
#ifdef TUXARIUM_HAS_NET
#include <tuxarium/http_disk.hpp>
#include <tuxarium/user_network.hpp>
#include <tuxarium/websocket_link.hpp>
#endif

struct tuxarium_config {
  struct Forward {
    bool udp;
    std::uint16_t host_port, guest_port;
  };
  tuxarium::Config config;
  std::vector<Forward> forwards;
};

struct tuxarium_machine {
  std::unique_ptr<tuxarium::Machine> machine;
  bool has_network;
};

namespace {

using namespace tuxarium;
using Disk = std::unique_ptr<BlockDevice>;
using Network = std::shared_ptr<NetworkLink>;

tuxarium_error_code code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return TUXARIUM_ERROR_INVALID_ARGUMENT;
    case ErrorCode::not_found:
      return TUXARIUM_ERROR_NOT_FOUND;
    case ErrorCode::io:
      return TUXARIUM_ERROR_IO;
    case ErrorCode::bad_image:
      return TUXARIUM_ERROR_BAD_IMAGE;
    case ErrorCode::unsupported:
      return TUXARIUM_ERROR_UNSUPPORTED;
  }
  return TUXARIUM_ERROR_INVALID_ARGUMENT;
}

void tell(tuxarium_error* error, tuxarium_error_code code, std::string_view message) {
  if (error == nullptr) return;
  std::size_t size = std::min(message.size(), sizeof error->message - 1);
  // Not in the middle of a character.
  while (size < message.size() && size > 0 && (static_cast<unsigned char>(message[size]) & 0xc0) == 0x80) --size;
  error->code = code;
  std::memcpy(error->message, message.data(), size);
  error->message[size] = '\0';
}

/// Calls `task`, which gives a Result. Its value goes to `take`; its error, or the exception that ended it, to `error`.
template <class Task, class Take>
bool guarded(tuxarium_error* error, const Task& task, const Take& take) noexcept {
  try {
    auto result = task();
    if (result) {
      take(*std::move(result));
      return true;
    }
    tell(error, code_of(result.error().code), result.error().message);
  } catch (const std::bad_alloc&) {
    tell(error, TUXARIUM_ERROR_NO_MEMORY, "the host has no memory left");
  } catch (const std::exception& problem) {
    tell(error, TUXARIUM_ERROR_IO, problem.what());
  }
  return false;
}

Error missing(const char* what) { return {ErrorCode::invalid_argument, std::string{what} + " is NULL"}; }
[[maybe_unused]] Error not_built(const char* what) {
  return {ErrorCode::unsupported, std::string{"this library was built without "} + what};
}

std::string text_or_empty(const char* text) { return text == nullptr ? std::string{} : std::string{text}; }
std::filesystem::path path_of(const char* text) { return text_or_empty(text); }

// What a build may lack.

Result<BootSource> own_guest() {
#ifdef TUXARIUM_HAS_GUEST
  return load_default_guest();
#else
  return not_built("a Linux of its own");
#endif
}

#ifdef TUXARIUM_HAS_NET
Result<Disk> open_web_disk(const char* url, const LogSink& log) {
  HttpDiskOptions options;
  options.cache_directory = default_disk_cache();
  options.log = log;
  return open_http_disk(url, std::move(options));
}

Result<Network> user_network(const std::vector<tuxarium_config::Forward>& forwards, bool host_loopback) {
  UserNetworkOptions options{.host_loopback = host_loopback};
  for (const auto& [udp, host_port, guest_port] : forwards)
    options.forwards.push_back(
        {.protocol = udp ? PortForward::Protocol::udp : PortForward::Protocol::tcp, .host_port = host_port, .guest_port = guest_port});
  return make_user_network(options);
}

Result<Network> websocket_network(const char* url, const char* token) {
  WebsocketLinkOptions options;
  options.url = url;
  options.token = text_or_empty(token);
  return make_websocket_link(options);
}
#else
Result<Disk> open_web_disk(const char*, const LogSink&) { return not_built("disks over HTTP"); }
Result<Network> user_network(const std::vector<tuxarium_config::Forward>&, bool) { return not_built("networks"); }
Result<Network> websocket_network(const char*, const char*) { return not_built("networks"); }
#endif

template <class Load>
bool set_boot(tuxarium_config* config, const char* path, tuxarium_error* error, const Load& load) noexcept {
  const auto checked = [&]() -> Result<BootSource> {
    if (config == nullptr) return missing("the configuration");
    if (path == nullptr) return missing("the path of what to boot");
    return load();
  };
  return guarded(error, checked, [&](BootSource&& source) { config->config.boot = std::move(source); });
}

Result<Disk> open_disk(const char* source, tuxarium_disk_mode mode, const LogSink& log) {
  const std::string_view text{source};
  std::error_code ignored;
  const bool web = text.starts_with("http://") || text.starts_with("https://");
  const bool pieces = !web && std::filesystem::is_directory(path_of(source), ignored);
  if (mode != TUXARIUM_DISK_VOLATILE) {
    if (web || pieces)
      return Error{ErrorCode::invalid_argument,
                   "\"" + std::string{text} + "\" is a disk in pieces: only a raw image can be written or refuse to be"};
    return open_file_disk(path_of(source), mode == TUXARIUM_DISK_IN_PLACE ? DiskAccess::read_write : DiskAccess::read_only);
  }
  if (web) return open_web_disk(source, log);
  return pieces ? open_chunked_disk(path_of(source)) : open_file_disk(path_of(source), DiskAccess::read_only);
}

template <class Open>
bool set_disk(tuxarium_config* config, unsigned drive, const char* source, tuxarium_error* error, const Open& open) noexcept {
  const auto checked = [&]() -> Result<Disk> {
    if (config == nullptr) return missing("the configuration");
    if (source == nullptr) return missing("the disk's source");
    if (drive > 1) return Error{ErrorCode::invalid_argument, "there is no drive " + std::to_string(drive) + ": it is 0 or 1"};
    return open();
  };
  return guarded(error, checked, [&](Disk&& disk) { (drive == 0 ? config->config.hda : config->config.hdb) = std::move(disk); });
}

template <class Make>
bool set_network(tuxarium_config* config, tuxarium_error* error, const Make& make) noexcept {
  const auto checked = [&]() -> Result<Network> {
    if (config == nullptr) return missing("the configuration");
    return make();
  };
  return guarded(error, checked, [&](Network&& link) { config->config.network = std::move(link); });
}

constexpr std::array<std::pair<std::string_view, CpuModel>, 5> kModels{{{"full", CpuModel::full},
                                                                        {"i686", CpuModel::i686},
                                                                        {"pentium", CpuModel::pentium},
                                                                        {"486", CpuModel::i486},
                                                                        {"jslinux", CpuModel::jslinux}}};

tuxarium_stop_reason reason_of(StopReason reason) {
  switch (reason) {
    case StopReason::budget_spent:
      return TUXARIUM_STOP_BUDGET;
    case StopReason::idle:
      return TUXARIUM_STOP_IDLE;
    case StopReason::stop_requested:
      return TUXARIUM_STOP_REQUESTED;
    case StopReason::reset:
      return TUXARIUM_STOP_RESET;
    case StopReason::power_off:
      return TUXARIUM_STOP_POWER_OFF;
    case StopReason::triple_fault:
      return TUXARIUM_STOP_TRIPLE_FAULT;
  }
  return TUXARIUM_STOP_BUDGET;
}

std::uint64_t count_of(std::chrono::nanoseconds span) {
  return static_cast<std::uint64_t>(std::max<std::chrono::nanoseconds::rep>(span.count(), 0));
}

/// A port that the caller may use: any but one whose other end is the network.
SerialPort* port_of(tuxarium_machine* machine, unsigned port) {
  return port < (machine->has_network ? 1u : 2u) ? &machine->machine->serial(port) : nullptr;
}

}  // namespace

unsigned tuxarium_version(void) { return TUXARIUM_VERSION_NUM; }

tuxarium_config* tuxarium_config_new(void) { return new (std::nothrow) tuxarium_config; }

void tuxarium_config_free(tuxarium_config* config) { delete config; }

bool tuxarium_boot_default(tuxarium_config* config, tuxarium_error* error) { return set_boot(config, "", error, own_guest); }

bool tuxarium_boot_jslinux(tuxarium_config* config, const char* directory, const char* command_line, tuxarium_error* error) {
  return set_boot(config, directory, error, [&] { return load_jslinux_boot(path_of(directory), text_or_empty(command_line)); });
}

bool tuxarium_boot_linux(tuxarium_config* config, const char* kernel, const char* initrd, const char* command_line, tuxarium_error* error) {
  return set_boot(config, kernel, error, [&] { return load_linux_boot(path_of(kernel), path_of(initrd), text_or_empty(command_line)); });
}

bool tuxarium_boot_rom(tuxarium_config* config, const char* image, tuxarium_error* error) {
  return set_boot(config, image, error, [&] { return load_rom_boot(path_of(image)); });
}

bool tuxarium_boot_multiboot(tuxarium_config* config, const char* kernel, const char* command_line, tuxarium_error* error) {
  return set_boot(config, kernel, error, [&] { return load_multiboot(path_of(kernel), {}, text_or_empty(command_line)); });
}

void tuxarium_set_ram(tuxarium_config* config, uint64_t bytes) { config->config.ram_bytes = bytes; }

bool tuxarium_set_cpu(tuxarium_config* config, const char* name, tuxarium_error* error) {
  const auto find = [&]() -> Result<CpuModel> {
    if (config == nullptr) return missing("the configuration");
    for (const auto& [known, model] : kModels) {
      if (name != nullptr && known == name) return model;
    }
    return Error{ErrorCode::invalid_argument, "\"" + text_or_empty(name) + "\" is no processor: it is full, i686, pentium, 486 or jslinux"};
  };
  return guarded(error, find, [&](CpuModel model) { config->config.cpu = model; });
}

void tuxarium_set_cycles_clock(tuxarium_config* config, uint64_t cycles_per_second, uint64_t seed) {
  config->config.time = TimeSource::cycles;
  config->config.cycles_per_second = cycles_per_second;
  config->config.seed = seed;
}

bool tuxarium_set_disk(tuxarium_config* config, unsigned drive, const char* source, tuxarium_disk_mode mode, tuxarium_error* error) {
  return set_disk(config, drive, source, error, [&]() -> Result<Disk> {
    auto disk = open_disk(source, mode, config->config.log);
    if (!disk || mode != TUXARIUM_DISK_VOLATILE) return disk;
    return make_memory_overlay(*std::move(disk));
  });
}

bool tuxarium_set_disk_with_overlay(tuxarium_config* config, unsigned drive, const char* source, const char* overlay,
                                    tuxarium_error* error) {
  return set_disk(config, drive, source, error, [&]() -> Result<Disk> {
    if (overlay == nullptr) return missing("the overlay's path");
    auto base = open_disk(source, TUXARIUM_DISK_VOLATILE, config->config.log);
    if (!base) return base;
    return open_file_overlay(*std::move(base), path_of(overlay));
  });
}

bool tuxarium_add_forward(tuxarium_config* config, bool udp, uint16_t host_port, uint16_t guest_port) {
  try {
    config->forwards.push_back({udp, host_port, guest_port});
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

bool tuxarium_set_user_network(tuxarium_config* config, bool host_loopback, tuxarium_error* error) {
  return set_network(config, error, [&] { return user_network(config->forwards, host_loopback); });
}

bool tuxarium_set_websocket_network(tuxarium_config* config, const char* url, const char* token, tuxarium_error* error) {
  return set_network(config, error, [&]() -> Result<Network> {
    if (url == nullptr) return missing("the URL");
    return websocket_network(url, token);
  });
}

bool tuxarium_set_log(tuxarium_config* config, tuxarium_log_function* function, void* user) {
  try {
    config->config.log = {};
    if (function != nullptr)
      config->config.log = [function, user](LogLevel level, std::string_view line) {
        function(user, static_cast<int>(level), std::string{line}.c_str());
      };
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

tuxarium_machine* tuxarium_machine_new(tuxarium_config* config, tuxarium_error* error) {
  auto made = std::unique_ptr<tuxarium_machine>{};
  const auto make = [&]() -> Result<std::unique_ptr<Machine>> {
    if (config == nullptr) return missing("the configuration");
    made = std::make_unique<tuxarium_machine>();
    made->has_network = config->config.network != nullptr;
    return Machine::create(std::move(config->config));
  };
  const bool good = guarded(error, make, [&](std::unique_ptr<Machine>&& machine) { made->machine = std::move(machine); });
  return good ? made.release() : nullptr;
}

void tuxarium_machine_free(tuxarium_machine* machine) { delete machine; }

tuxarium_run_result tuxarium_run(tuxarium_machine* machine, uint64_t cycles, uint64_t wall_ns) {
  constexpr std::uint64_t kLongest = std::uint64_t{1} << 62;
  const RunResult result = machine->machine->run({.cycles = cycles, .wall = std::chrono::nanoseconds{std::min(wall_ns, kLongest)}});
  return {reason_of(result.reason), result.cycles, count_of(result.idle_for)};
}

void tuxarium_request_stop(tuxarium_machine* machine) { machine->machine->request_stop(); }

void tuxarium_reset(tuxarium_machine* machine) { machine->machine->reset(); }

bool tuxarium_powered_off(const tuxarium_machine* machine) { return machine->machine->powered_off(); }

size_t tuxarium_serial_read(tuxarium_machine* machine, unsigned port, void* out, size_t size) {
  SerialPort* const serial = port_of(machine, port);
  return serial == nullptr ? 0 : serial->read({static_cast<std::byte*>(out), size});
}

size_t tuxarium_serial_write(tuxarium_machine* machine, unsigned port, const void* data, size_t size) {
  SerialPort* const serial = port_of(machine, port);
  return serial == nullptr ? 0 : serial->write({static_cast<const std::byte*>(data), size});
}

size_t tuxarium_clipboard_get(tuxarium_machine* machine, char* out, size_t size) {
  const std::string& text = machine->machine->clipboard_buffer()->text();
  std::copy_n(text.data(), std::min(size, text.size()), out);
  return text.size();
}

bool tuxarium_clipboard_set(tuxarium_machine* machine, const char* text, size_t size) {
  try {
    machine->machine->clipboard_buffer()->set_text({text, size});
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

uint64_t tuxarium_clipboard_guest_writes(tuxarium_machine* machine) { return machine->machine->clipboard_buffer()->guest_writes(); }

tuxarium_counters tuxarium_read_counters(const tuxarium_machine* machine) {
  const Counters counters = machine->machine->counters();
  return {counters.cycles,          count_of(counters.guest_time), counters.interrupts, counters.exceptions,
          counters.disk_bytes_read, counters.disk_bytes_written,   counters.resets};
}
