// A program with a guest's console as its stdin and stdout, driven from a benchmark.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "bench/guest_session.hpp"
#include "bench/process.hpp"

namespace bench {

class Program {
 public:
  static constexpr double kLimit = 300;  // seconds for one step

  explicit Program(std::vector<std::string> words) {
    std::array<int, 2> in{}, out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // also when this program gives up
      const int null = ::open("/dev/null", O_WRONLY);
      ::dup2(in[0], 0), ::dup2(out[1], 1), ::dup2(null, 2);
      std::vector<char*> arguments;
      for (std::string& word : words) arguments.push_back(word.data());
      arguments.push_back(nullptr);
      ::execvp(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(in[0]), ::close(out[1]);
    to_ = in[1], from_ = out[0];
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(to_), ::close(from_);
  }

  void type(const std::string& text) const { (void)!::write(to_, text.data(), text.size()); }

  /// Reads up to the end of the next `text` and gives what came before it; nothing when the program has ended or kLimit has passed.
  std::optional<std::string> wait_for(const std::string& text) {
    const double end = wall_seconds() + kLimit;
    while (output_.find(text) == std::string::npos) {
      pollfd ready{from_, POLLIN, 0};
      if (wall_seconds() > end || ::poll(&ready, 1, 1000) < 0) return std::nullopt;
      if (ready.revents == 0) continue;
      std::array<char, 4096> buffer{};
      const ssize_t count = ::read(from_, buffer.data(), buffer.size());
      if (count <= 0) return std::nullopt;
      output_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    const std::size_t at = output_.find(text);
    std::string before = output_.substr(0, at);
    output_.erase(0, at + text.size());
    return before;
  }

  /// Processor time of all its threads so far, in seconds.
  double cpu_seconds() const { return cpu_seconds_of(pid_); }

 private:
  pid_t pid_ = -1;
  int to_ = -1, from_ = -1;
  std::string output_;  // read and not yet looked through
};

}  // namespace bench
