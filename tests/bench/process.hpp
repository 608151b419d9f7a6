// What the system says about a process.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

namespace bench {

/// Processor time of all threads of a process so far, in seconds.
inline double cpu_seconds_of(pid_t process) {
  std::ifstream file{"/proc/" + std::to_string(process) + "/stat"};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  text.erase(0, text.rfind(')') + 2);
  long user = 0, system = 0;
  (void)!std::sscanf(text.c_str(), "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %ld %ld", &user, &system);
  return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

inline long resident_kb_of(pid_t process) {
  std::ifstream file{"/proc/" + std::to_string(process) + "/statm"};
  long pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * ::sysconf(_SC_PAGESIZE) / 1024;
}

}  // namespace bench
