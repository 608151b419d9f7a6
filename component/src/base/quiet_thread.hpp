// Threads of the library's own.
#pragma once

#include <signal.h>

#include <thread>
#include <utility>

namespace tuxarium {

/// Starts a thread that gets none of the process's signals: they belong to the program's threads. Throws std::system_error when there is none to be had.
template <class Work>
std::thread start_quiet_thread(Work work) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  struct Restore {
    const sigset_t* mask;
    ~Restore() { pthread_sigmask(SIG_SETMASK, mask, nullptr); }
  } const restore{&before};
  return std::thread{std::move(work)};
}

}  // namespace tuxarium
