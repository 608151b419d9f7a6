// tuxarium-run: the machine in a text terminal or a script.
#include <cstdio>
#include <exception>

#include "console.hpp"
#include "run_options.hpp"
#include "session.hpp"

namespace {

int run(int argc, char** argv) {
  using namespace tuxarium::app;
  ParsedRun parsed = parse_run_options(argc, argv);
  if (!parsed.options) {
    if (parsed.status == kDone) std::fputs(parsed.text.c_str(), stdout);
    else say(parsed.text);
    return parsed.status;
  }
  auto session = Session::open(std::move(*parsed.options));
  if (!session) {
    say(session.error().message);
    return kWrongUsage;
  }
  return session.value()->run();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& problem) {
    tuxarium::app::restore_terminal_now();
    tuxarium::app::say(problem.what());
    return tuxarium::app::kFailed;
  }
}
