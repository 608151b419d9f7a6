#include "workers.hpp"

#ifdef __unix__
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#endif

namespace tuxarium::differential {

#ifdef __unix__

namespace {

struct Worker {
  pid_t process = -1;
  int result = -1;
};

void write_all(int file, const std::vector<std::uint64_t>& numbers) {
  const auto* data = reinterpret_cast<const char*>(numbers.data());
  for (std::size_t done = 0, size = numbers.size() * sizeof numbers[0]; done < size;) {
    const ssize_t n = write(file, data + done, size - done);
    if (n <= 0) return;
    done += static_cast<std::size_t>(n);
  }
}

bool read_all(int file, std::vector<std::uint64_t>& numbers) {
  auto* data = reinterpret_cast<char*>(numbers.data());
  for (std::size_t done = 0, size = numbers.size() * sizeof numbers[0]; done < size;) {
    const ssize_t n = read(file, data + done, size - done);
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

Worker start(unsigned number, const std::function<Counts(unsigned)>& work) {
  int ends[2];
  Worker worker;
  if (pipe(ends) != 0) return worker;
  worker.process = fork();
  if (worker.process == 0) {
    close(ends[0]);
    Counts counts = work(number);
    std::vector<std::uint64_t> numbers;
    counts.visit([&](std::uint64_t n) { numbers.push_back(n); });
    write_all(ends[1], numbers);
    std::fflush(stdout);
    _exit(0);
  }
  close(ends[1]);
  worker.result = ends[0];
  return worker;
}

bool collect(const Worker& worker, Counts& sum) {
  if (worker.process <= 0) return false;
  Counts counts{sum.form.size()};
  std::vector<std::uint64_t> numbers;
  counts.visit([&](std::uint64_t n) { numbers.push_back(n); });
  const bool whole = read_all(worker.result, numbers);
  close(worker.result);
  waitpid(worker.process, nullptr, 0);
  if (!whole) return false;
  std::size_t at = 0;
  counts.visit([&](std::uint64_t& n) { n = numbers[at++]; });
  sum.add(counts);
  return true;
}

}  // namespace

bool run_workers(unsigned count, Counts& sum, const std::function<Counts(unsigned)>& work) {
  if (count == 1) {
    sum.add(work(0));
    return true;
  }
  std::vector<Worker> workers;
  for (unsigned n = 0; n < count; ++n) workers.push_back(start(n, work));
  bool all = true;
  for (const Worker& worker : workers) all = collect(worker, sum) && all;
  return all;
}

#else

bool run_workers(unsigned, Counts& sum, const std::function<Counts(unsigned)>& work) {
  sum.add(work(0));
  return true;
}

#endif

}  // namespace tuxarium::differential
