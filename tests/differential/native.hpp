// The host processor as the judge: runs cases in the host's own 32-bit mode.
#pragma once

#include <memory>
#include <string>

#include "case.hpp"

namespace tuxarium::differential {

/// One at a time in a process, which must have no other thread: signal handlers belong to the process.
class Native {
 public:
  /// Null where the host cannot run 32-bit code; `why_not` gets the reason.
  static std::unique_ptr<Native> create(std::string& why_not);
  ~Native();
  Native(const Native&) = delete;
  Native& operator=(const Native&) = delete;

  void run(const Case& c, Outcome& out);

 private:
  struct Host;
  explicit Native(std::unique_ptr<Host> host);
  std::unique_ptr<Host> host_;
};

/// Names the host processor: vendor, family and model; empty where there is no CPUID.
std::string host_processor();

}  // namespace tuxarium::differential
