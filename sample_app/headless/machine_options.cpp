#include "machine_options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <limits>
#include <fstream>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <tuxarium/boot.hpp>
#include <tuxarium/disk.hpp>
#include <tuxarium/http_disk.hpp>

#ifdef TUXARIUM_HAS_GUEST
#include <tuxarium/default_guest.hpp>
#endif

#include "sentences.hpp"

namespace tuxarium::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestInitrd = std::uint64_t{1} << 30;
constexpr const char* kRamDiskCommandLine = "console=ttyS0 root=/dev/ram0 rw init=/sbin/init notsc=1";

/// A number with an optional K, M or G, which stand for powers of `unit`; nothing when it is malformed or too large.
std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t unit) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || end - rest > 1) return std::nullopt;
  constexpr std::string_view kSuffixes = "kKmMgG";
  const std::size_t at = rest == end ? std::string_view::npos : kSuffixes.find(*rest);
  if (rest != end && at == std::string_view::npos) return std::nullopt;
  for (std::size_t power = rest == end ? 0 : at / 2 + 1; power > 0; --power) {
    if (number > std::numeric_limits<std::uint64_t>::max() / unit) return std::nullopt;
    number *= unit;
  }
  return number;
}

bool take_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

Result<std::vector<std::byte>> read_initrd(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return Error{ErrorCode::not_found, "cannot read the initrd " + in_quotes(path.string()) + ": " + error.message()};
  if (size == 0 || size > kLargestInitrd) {
    return Error{ErrorCode::bad_image,
                 "the initrd " + in_quotes(path.string()) + " has " + std::to_string(size) + " bytes; it must have 1 byte to 1 GiB"};
  }
  std::vector<std::byte> data(static_cast<std::size_t>(size));
  std::ifstream file{path, std::ios::binary};
  file.read(reinterpret_cast<char*>(data.data()), static_cast<std::streamsize>(data.size()));
  if (!file || static_cast<std::size_t>(file.gcount()) != data.size()) {
    return Error{ErrorCode::io, "cannot read the initrd " + in_quotes(path.string()) + ": " + errno_text()};
  }
  return data;
}

#ifdef TUXARIUM_HAS_NET
Result<std::unique_ptr<BlockDevice>> open_web_disk(const std::string& url, const std::string& cache, const std::string& ca,
                                                   std::shared_ptr<HttpDiskMonitor> monitor, const LogSink& log) {
  HttpDiskOptions options;
  options.monitor = std::move(monitor);
  options.ca_file = ca;
  if (cache != "none") options.cache_directory = cache.empty() ? default_disk_cache() : fs::path{cache};
  options.log = log;
  return open_http_disk(url, std::move(options));
}
#else
Result<std::unique_ptr<BlockDevice>> open_web_disk(const std::string& url, const std::string&, const std::string&,
                                                   const std::shared_ptr<HttpDiskMonitor>&, const LogSink&) {
  return Error{ErrorCode::unsupported, in_quotes(url) + ": this program was built without disks over HTTP"};
}
#endif

/// The folder of pieces that belongs to a JSLinux directory; empty when it has none.
fs::path pieces_of(const fs::path& directory) {
  std::error_code error;
  for (const char* name : {"hda", "hao"}) {
    if (fs::is_directory(directory / name, error)) return directory / name;
  }
  return {};
}

Result<DiskSpec> parse_disk_option(const char* option, const std::string& text) {
  if (text.empty()) return DiskSpec{};
  auto spec = parse_disk_spec(text);
  if (!spec) return usage_error(std::string{option} + ": " + spec.error().message);
  return spec;
}

bool same_writable_file(const DiskSpec& a, const DiskSpec& b) {
  if (a.kind != DiskSpec::Kind::file || b.kind != DiskSpec::Kind::file || (a.read_only && b.read_only)) return false;
  std::error_code error;
  return fs::equivalent(a.path, b.path, error);
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  if (const auto size = parse_number(text, 1024)) return *size;
  return usage_error(in_quotes(text) + " is not a size such as 16M, 512K or 1G");
}

Result<ClockSpec> parse_clock(std::string_view text) {
  if (text == "host") return ClockSpec{};
  if (text == "cycles") return ClockSpec{TimeSource::cycles, std::nullopt};
  std::string_view rate = text;
  if (take_prefix(rate, "cycles:")) {
    if (const auto number = parse_number(rate, 1000)) return ClockSpec{TimeSource::cycles, *number};
  }
  return usage_error("--clock: " + in_quotes(text) + " is not host, cycles or cycles:RATE with a rate such as 10M");
}

Result<DiskSpec> parse_disk_spec(std::string_view text) {
  DiskSpec spec;
  std::string_view rest = text;
  if (rest == "none") return spec;
  if (take_prefix(rest, "dir:")) {
    spec.kind = DiskSpec::Kind::directory;
  } else if (take_prefix(rest, "file:")) {
    spec.kind = DiskSpec::Kind::file;
    if (take_suffix(rest, ",ro")) spec.read_only = true;
    else (void)take_suffix(rest, ",rw");
  } else if (rest.starts_with("http://") || rest.starts_with("https://")) {
    spec.kind = DiskSpec::Kind::web;
    if (take_suffix(rest, ",ro")) spec.read_only = true;
    else (void)take_suffix(rest, ",rw");
  } else {
    return usage_error(in_quotes(text) + " is not a disk: it must be dir:PATH, file:PATH, file:PATH,ro, a URL http://... or https://..., or none");
  }
  if (rest.empty()) return usage_error(in_quotes(text) + " names no path");
  spec.path = std::string{rest};
  return spec;
}

namespace {

constexpr std::array<std::pair<const char*, CpuModel>, 5> kModels{{{"full", CpuModel::full},
                                                                   {"i686", CpuModel::i686},
                                                                   {"pentium", CpuModel::pentium},
                                                                   {"486", CpuModel::i486},
                                                                   {"jslinux", CpuModel::jslinux}}};

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const auto& [name, model] : kModels) names.emplace_back(name);
  return names;
}

/// One of model_names().
CpuModel model_named(std::string_view text) {
  for (const auto& [name, model] : kModels) {
    if (text == name) return model;
  }
  return CpuModel::full;
}

}  // namespace

Result<BootSpec> parse_boot_spec(std::string_view text) {
  if (text == "default") return BootSpec{BootSpec::Kind::own_guest, {}};
  constexpr std::array<std::pair<std::string_view, BootSpec::Kind>, 4> kKinds{{{"jslinux:", BootSpec::Kind::jslinux},
                                                                              {"linux:", BootSpec::Kind::linux_kernel},
                                                                              {"rom:", BootSpec::Kind::rom},
                                                                              {"multiboot:", BootSpec::Kind::multiboot}}};
  for (const auto& [prefix, kind] : kKinds) {
    if (!text.starts_with(prefix)) continue;
    if (text.size() == prefix.size()) return usage_error("--boot: " + in_quotes(text) + " names no path");
    return BootSpec{kind, std::string{text.substr(prefix.size())}};
  }
  return usage_error("--boot: " + in_quotes(text) + " is not one of default, jslinux:DIR, linux:KERNEL, rom:FILE, multiboot:FILE");
}

void MachineOptions::add_to(CLI::App& app) {
  const std::string group = "Machine";
  app.add_option("--boot", boot_,
                 "what to start: default (the Linux inside this program; also without --boot), jslinux:DIR (vmlinux-2.6.20.bin and "
                 "linuxstart.bin in DIR, with pieces of a disk in hda/ or hao/, or a RAM disk root.bin), linux:KERNEL (bzImage or vmlinux), rom:FILE, multiboot:FILE")
      ->type_name("KIND:PATH")
      ->group(group);
  app.add_option("--initrd", initrd_, "RAM disk of a Linux, or the module of a multiboot kernel")->type_name("FILE")->group(group);
  app.add_option("--append", append_, "command line of the kernel, all of it")->type_name("TEXT")->group(group);
  app.add_option("--hda", hda_,
                 "first disk: dir:PATH (pieces hda%09d.bin; writes stay in memory and end with the run), file:PATH (raw image, written in "
                 "place), file:PATH,ro (raw image; the guest sees a read-only disk), http://HOST/PATH/ or https:// (pieces on a web server; writes stay in memory, "
                 "or with ,ro are refused), none. With jslinux:DIR the pieces in DIR are the "
                 "default")
      ->type_name("DISK")
      ->group(group);
  app.add_option("--overlay", overlay_,
                 "file that takes what the guest writes to the first disk, whose own files stay as they are; made when it is not there, and "
                 "good for this disk alone. What the guest has flushed survives a crash")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--hdb", hdb_, "second disk")->type_name("DISK")->group(group);
  app.add_option("--disk-cache", disk_cache_,
                 "folder where pieces of disks on web servers are kept for the next run, or none; at most 1 GiB. The default is tuxarium/disk in "
                 "the user's cache folder")
      ->type_name("DIR")
      ->group(group);
  app.add_option("--disk-ca", disk_ca_, "with disks over https://: PEM file with the authorities to trust, instead of the system's")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--ram", ram_, "memory of the guest, with K, M or G")->type_name("SIZE")->capture_default_str()->group(group);
  app.add_option("--clock", clock_,
                 "where the guest's time comes from: host (real time), or cycles (its instructions, 100 million a second unless :RATE says "
                 "otherwise; runs repeat exactly)")
      ->type_name("host|cycles[:RATE]")
      ->capture_default_str()
      ->group(group);
  app.add_option("--seed", seed_, "fixes what a PC leaves to chance at power-on")->type_name("N")->group(group);
  app.add_option("--cpu", cpu_,
                 "processor: full (i686 with SSE and SSE2), i686 (Pentium II), pentium (without MMX), 486 (DX4) or jslinux (what JSLinux reported)")
      ->type_name("MODEL")
      ->check(CLI::IsMember(model_names()))
      ->capture_default_str()
      ->group(group);
  app.add_option("--cpu-add", cpu_add_, "what the full processor has besides: sse3, popcnt")
      ->type_name("sse3,popcnt")
      ->delimiter(',')
      ->check(CLI::IsMember({"sse3", "popcnt"}))
      ->group(group);
  network_.add_to(app, group);
}

Result<BootSource> MachineOptions::load_own_guest() const {
#ifdef TUXARIUM_HAS_GUEST
  if (!append_.empty() || !window_) return load_default_guest(append_);
  return load_default_guest(std::string{kDefaultGuestCommandLine} + " rows=" + std::to_string(window_->rows) + " cols=" + std::to_string(window_->columns));
#else
  return usage_error(
      "there is nothing to boot: this program was built without a Linux of its own; start one of yours with --boot, for example "
      "--boot jslinux:DIR for the folder of a JSLinux, or --boot linux:KERNEL --initrd FILE");
#endif
}

Result<BootSource> MachineOptions::load_boot(const BootSpec& spec) const {
  switch (spec.kind) {
    case BootSpec::Kind::own_guest: {
      auto boot = load_own_guest();
      if (!boot || initrd_.empty()) return boot;
      auto initrd = read_initrd(initrd_);
      if (!initrd) return initrd.error();
      std::get<LinuxBoot>(boot.value()).initrd = std::move(initrd).value();
      return boot;
    }
    case BootSpec::Kind::jslinux: {
      const bool own_ram_disk = !initrd_.empty();
      auto boot = load_jslinux_boot(spec.path, append_.empty() && own_ram_disk ? kRamDiskCommandLine : append_);
      if (!boot || !own_ram_disk) return boot;
      auto initrd = read_initrd(initrd_);
      if (!initrd) return initrd.error();
      std::get<JslinuxBoot>(boot.value()).initrd = std::move(initrd).value();
      return boot;
    }
    case BootSpec::Kind::linux_kernel:
      return load_linux_boot(spec.path, initrd_, append_);
    case BootSpec::Kind::rom:
      if (!initrd_.empty() || !append_.empty()) return usage_error("--initrd and --append say nothing to a ROM");
      return load_rom_boot(spec.path);
    case BootSpec::Kind::multiboot:
      return load_multiboot(spec.path, initrd_.empty() ? std::vector<fs::path>{} : std::vector<fs::path>{initrd_}, append_);
  }
  return usage_error("--boot: unknown kind");
}

/// What is only read: under an overlay, or for a guest that may not write.
Result<std::unique_ptr<BlockDevice>> MachineOptions::open_read_only(const DiskSpec& spec, unsigned drive, const LogSink& log) const {
  switch (spec.kind) {
    case DiskSpec::Kind::directory: return open_chunked_disk(spec.path);
    case DiskSpec::Kind::web: return open_web_disk(spec.path, disk_cache_, disk_ca_, monitors_[drive], log);
    case DiskSpec::Kind::file:
    case DiskSpec::Kind::none: break;
  }
  return open_file_disk(spec.path, DiskAccess::read_only);
}

/// Pieces are never written: the guest's writes stay in memory.
Result<std::unique_ptr<BlockDevice>> MachineOptions::open_disk(const DiskSpec& spec, unsigned drive, const LogSink& log) const {
  if (spec.kind == DiskSpec::Kind::file && !spec.read_only) return open_file_disk(spec.path, DiskAccess::read_write);
  auto base = open_read_only(spec, drive, log);
  if (!base || spec.read_only) return base;
  return make_memory_overlay(std::move(base).value());
}

Result<void> MachineOptions::check_web_options(bool web_disk) const {
  if (!web_disk && !disk_cache_.empty()) return usage_error("--disk-cache needs a disk over http:// or https://");
  if (!web_disk && !disk_ca_.empty()) return usage_error("--disk-ca needs a disk over https://");
  return {};
}

bool MachineOptions::has_web_disk() const {
  for (const std::string& disk : {hda_, hdb_}) {
    const auto spec = parse_disk_spec(disk);
    if (spec && spec->kind == DiskSpec::Kind::web) return true;
  }
  return false;
}

Result<Config> MachineOptions::build(bool serial1_taken, const LogSink& log) const {
  const auto boot_spec = parse_boot_spec(boot());
  if (!boot_spec) return boot_spec.error();
  const auto ram = parse_size(ram_);
  if (!ram) return usage_error("--ram: " + ram.error().message);
  const auto clock = parse_clock(clock_);
  if (!clock) return clock.error();
  auto hda = parse_disk_option("--hda", hda_);
  if (!hda) return hda.error();
  auto hdb = parse_disk_option("--hdb", hdb_);
  if (!hdb) return hdb.error();
  if (const auto fits = check_web_options(hda->kind == DiskSpec::Kind::web || hdb->kind == DiskSpec::Kind::web); !fits) return fits.error();
  if (!overlay_.empty()) hda->read_only = true;
  if (same_writable_file(hda.value(), hdb.value())) return usage_error("--hda and --hdb are the same file, and one of them would be written");

  Config config;
  config.log = log;
  config.ram_bytes = ram.value();
  config.time = clock->source;
  if (clock->rate) config.cycles_per_second = *clock->rate;
  config.cpu = model_named(cpu_);
  if (!cpu_add_.empty() && config.cpu != CpuModel::full) return usage_error("--cpu-add says nothing to --cpu " + cpu_);
  const auto added = [this](const char* name) { return std::find(cpu_add_.begin(), cpu_add_.end(), name) != cpu_add_.end(); };
  config.cpu_extensions = {.sse3 = added("sse3"), .popcnt = added("popcnt")};
  config.seed = seed_;

  auto boot = load_boot(boot_spec.value());
  if (!boot) return boot.error();
  config.boot = std::move(boot).value();

  if (boot_spec->kind == BootSpec::Kind::jslinux && hda_.empty()) {
    const fs::path pieces = pieces_of(boot_spec->path);
    if (!pieces.empty()) {
      hda.value() = DiskSpec{DiskSpec::Kind::directory, pieces.string(), false};
    } else if (std::get<JslinuxBoot>(config.boot).initrd.empty()) {
      return Error{ErrorCode::not_found, in_quotes(boot_spec->path) + " has no disk for the kernel's root: neither hda/ nor hao/ with pieces, nor "
                                         "root.bin; name one with --hda or --initrd"};
    }
  }
  if (auto* kernel = std::get_if<LinuxBoot>(&config.boot); kernel != nullptr && !hda_.empty()) kernel->root_disk = nullptr;
  if (!overlay_.empty()) {
    const auto* kernel = std::get_if<LinuxBoot>(&config.boot);
    const bool own_disk = kernel != nullptr && kernel->root_disk != nullptr;
    if (hda->kind == DiskSpec::Kind::none && !own_disk) {
      return usage_error("--overlay: there is no first disk that it could belong to; name one with --hda");
    }
    auto base = own_disk ? make_memory_disk(*kernel->root_disk) : open_read_only(*hda, 0, log);
    if (!base) return base.error();
    auto disk = open_file_overlay(std::move(base).value(), overlay_);
    if (!disk) return disk.error();
    config.hda = std::move(disk).value();
    hda->kind = DiskSpec::Kind::none;
  }
  for (unsigned drive = 0; drive < 2; ++drive) {
    const DiskSpec& spec = drive == 0 ? *hda : *hdb;
    if (spec.kind == DiskSpec::Kind::none) continue;
    auto disk = open_disk(spec, drive, log);
    if (!disk) return disk.error();
    (drive == 0 ? config.hda : config.hdb) = std::move(disk).value();
  }
  if (serial1_taken && network_.asked_for()) return usage_error("--net and --serial2 both want the guest's second serial port");
  auto network = network_.build(!serial1_taken && config.time == TimeSource::host_clock);
  if (!network) return network.error();
  config.network = std::move(network).value();
  return config;
}

}  // namespace tuxarium::app
