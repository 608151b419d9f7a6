#include "run_options.hpp"

#include <utility>

#include <CLI/CLI.hpp>

#include <tuxarium/version.hpp>

#include "sentences.hpp"

namespace tuxarium::app {
namespace {

constexpr const char* kDescription =
    "Runs a Tuxarium machine without a window. The guest's first serial port, its console, is this terminal, or stdin and stdout of a script.";

constexpr const char* kFooter = R"(At a terminal:
  Ctrl-A x leaves, Ctrl-A Ctrl-A sends Ctrl-A, Ctrl-A h shows help. Every other key goes to the guest, Ctrl-C too.

In a script:
  What comes on stdin is typed at the console as fast as the guest takes it; stdout is the console, byte for byte. The end of stdin does not
  end the run. --expect and --send are worked through in the order they are given; with them the run ends as soon as the last is done, and
  a terminal on stdin is left alone. End with an --expect if the effect of the last --send matters.
  --expect takes an ECMAScript regular expression over bytes, without look-ahead and back-references. It is matched against everything that
  came since the match before it, however long that is. ^ and $ stand at the ends of a line; $ also where the guest waits and says no more.
  --send understands \n \r \t \a \b \f \v \e \\ \" \' \? \xHH \NNN. The Enter key is \r, which a shell's terminal takes like \n.

Status:
  0    the guest switched itself off or halted for good, or the script is done, or you left
  1    the guest stopped before the script was done, or something failed while it ran
  2    wrong usage, a bad image, an output that cannot be written: nothing was started
  124  --timeout or --max-cycles was reached
  A signal (Ctrl-C in a script) ends the program as that signal does.

Examples:
  tuxarium-run --boot jslinux:DIR
      the Linux in DIR, in this terminal
  tuxarium-run --boot jslinux:DIR --timeout 60 --expect '# $' --send 'uname -a\n' --expect '^Linux.*$'
      boots, asks, ends; fails if that takes more than a minute
  tuxarium-run --boot linux:bzImage --initrd root.cpio.gz --append 'console=ttyS0' --ram 64M
  tuxarium-run --boot jslinux:DIR --hda file:disk.img --serial2 pty
      a disk that keeps what is written; /dev/ttyS1 as a pseudo-terminal whose name is printed
  tuxarium-run --boot rom:test.rom --port-log out.bin:0xe9 --max-cycles 1000000 --stats json
      a ROM of your own; its bytes to port 0xE9 in a file; figures at the end
  tuxarium-run --boot jslinux:DIR --clock cycles --expect '# $' --hash
      runs that repeat bit for bit: the same digest every time)";

void add_script_options(CLI::App& app, RunOptions& options) {
  const auto step = [&app, &options](const char* name, ScriptStep::Kind kind, const char* type, const char* text) {
    app.add_option_function<std::string>(
           name, [&options, kind](const std::string& value) { options.steps.push_back({kind, value}); }, text)
        ->type_name(type)
        ->trigger_on_parse()
        ->group("Script");
  };
  step("--expect", ScriptStep::Kind::expect, "REGEX", "wait until the console shows this; may be repeated");
  step("--send", ScriptStep::Kind::send, "TEXT", "type this, with C escapes; may be repeated");
}

struct RawTexts {
  std::string serial2 = "none", port_log, stats;
  std::optional<double> timeout;
};

void add_run_options(CLI::App& app, RunOptions& options, RawTexts& raw) {
  app.add_option("--timeout", raw.timeout, "end after so many seconds of real time (status 124)")
      ->type_name("SECONDS")
      ->check(CLI::PositiveNumber)
      ->group("Script");
  app.add_option("--max-cycles", options.max_cycles, "end after so many instructions of the guest (status 124)")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->group("Script");
  app.add_flag("--no-reboot", options.no_reboot, "end with status 0 when the guest resets the machine, instead of booting again")
      ->group("Script");
  app.add_option("--clipboard-in", options.clipboard_in, "what the guest reads from /dev/clipboard at first")->type_name("FILE")->group("Files");
  app.add_option("--clipboard-out", options.clipboard_out, "gets what the guest writes to /dev/clipboard, whole, each time it does")
      ->type_name("FILE")
      ->group("Files");
  app.add_option("--serial2", raw.serial2,
                 "the guest's second serial port, ttyS1, raw: none, pty (prints its name), tcp:HOST:PORT (connects there), file:PATH (gets what "
                 "the guest sends). A peer that does not read makes the guest wait")
      ->type_name("LINK")
      ->capture_default_str()
      ->group("Files");
  app.add_option("--port-log", raw.port_log, "FILE gets every byte that the guest writes to these I/O ports, in order (16 and 32 bits: lowest byte first)")
      ->type_name("FILE:PORT[-PORT]")
      ->group("Files");
  app.add_option("--stats", raw.stats,
                 "one line of JSON on stderr at the end: reason, status, cycles, wall and CPU seconds, mips (million instructions in a second of "
                 "CPU time), guest seconds, interrupts, exceptions, resets, disk and serial bytes, network frames and state, memory")
      ->type_name("json")
      ->check(CLI::IsMember({"json"}))
      ->group("Report");
  app.add_flag("--hash", options.hash, "the digest of the machine's state on stderr at the end, as state_hash=HEX")->group("Report");
  app.add_flag("-v,--verbose", options.verbose, "say more of what the machine notices")->group("Report");
}

Result<void> finish_options(RunOptions& options, const RawTexts& raw) {
  auto serial2 = parse_serial_link(raw.serial2);
  if (!serial2) return serial2.error();
  options.serial2 = std::move(serial2).value();
  if (!raw.port_log.empty()) {
    auto port_log = parse_port_log(raw.port_log);
    if (!port_log) return port_log.error();
    options.port_log = std::move(port_log).value();
  }
  if (raw.timeout) options.timeout = std::chrono::duration<double>{*raw.timeout};
  options.stats = !raw.stats.empty();
  return {};
}

}  // namespace

ParsedRun parse_run_options(int argc, const char* const* argv) {
  ParsedRun parsed;
  RunOptions options;
  RawTexts raw;
  CLI::App app{kDescription, "tuxarium-run"};
  app.footer(kFooter);
  app.get_formatter()->column_width(34);
  app.set_version_flag("--version", "tuxarium-run " TUXARIUM_VERSION);
  options.machine.add_to(app);
  add_script_options(app, options);
  add_run_options(app, options, raw);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    parsed.text = app.help();
    return parsed;
  } catch (const CLI::CallForVersion& version) {
    parsed.text = std::string{version.what()} + "\n";
    return parsed;
  } catch (const CLI::ParseError& error) {
    parsed.text = std::string{error.what()} + " (--help lists the options)";
    parsed.status = kWrongUsage;
    return parsed;
  }
  const auto finished = finish_options(options, raw);
  if (!finished) {
    parsed.text = finished.error().message;
    parsed.status = kWrongUsage;
    return parsed;
  }
  parsed.options = std::move(options);
  return parsed;
}

}  // namespace tuxarium::app
