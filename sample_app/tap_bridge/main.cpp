// tuxarium-bridge: the server side of the guests' network.
#include <cstdio>
#include <exception>

#include "bridge_options.hpp"
#include "bridge_program.hpp"

int main(int argc, char** argv) {
  using namespace tuxarium::bridge;
  try {
    Log log{write_log_line};
    ParsedBridge parsed = parse_bridge_options(argc, argv);
    if (parsed.options) return run_bridge(std::move(*parsed.options), log);
    if (parsed.status == kDone) std::fputs(parsed.text.c_str(), stdout);
    else std::fprintf(stderr, "tuxarium-bridge: %s\n", parsed.text.c_str());
    return parsed.status;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "tuxarium-bridge: %s\n", problem.what());
    return kFailed;
  }
}
