/*
 * A program in C: boots the Linux inside the library, types a command at its console, and shows the console until the guest switches itself off.
 *
 *   c_program 'uname -a'
 */
#define _POSIX_C_SOURCE 200809L /* nanosleep() */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <tuxarium.h>

/* Shows what the guest has printed. Returns true once that ended with `mark`. */
static bool show_console(tuxarium_machine *machine, const char *mark) {
  char text[4096];
  size_t size;
  bool seen = false;
  while ((size = tuxarium_serial_read(machine, 0, text, sizeof text)) != 0) {
    fwrite(text, 1, size, stdout);
    seen = size >= strlen(mark) && memcmp(text + size - strlen(mark), mark, strlen(mark)) == 0;
  }
  fflush(stdout);
  return seen;
}

static void run(tuxarium_machine *machine, const char *command) {
  char line[1024];
  const char *rest = line;
  bool ready = false;
  snprintf(line, sizeof line, "%s\npoweroff\n", command);
  while (!tuxarium_powered_off(machine)) {
    /* A game does the same once a frame, with 4 ms, and never sleeps. */
    const tuxarium_run_result result = tuxarium_run(machine, 0, 10000000);
    const uint64_t nap = result.idle_ns < 10000000 ? result.idle_ns : 10000000;
    const struct timespec pause = {0, (long)nap};
    if (result.reason == TUXARIUM_STOP_IDLE) nanosleep(&pause, NULL);
    if (show_console(machine, "# ")) ready = true;
    if (ready) rest += tuxarium_serial_write(machine, 0, rest, strlen(rest));
  }
}

int main(int argc, char **argv) {
  tuxarium_error error = {0};
  tuxarium_machine *machine = NULL;
  tuxarium_config *config = tuxarium_config_new();
  if (argc != 2) {
    fputs("usage: c_program COMMAND\n", stderr);
    tuxarium_config_free(config);
    return 2;
  }
  if (tuxarium_boot_default(config, &error)) machine = tuxarium_machine_new(config, &error);
  tuxarium_config_free(config);
  if (machine == NULL) {
    fprintf(stderr, "c_program: %s\n", error.message);
    return 2;
  }
  run(machine, argv[1]);
  tuxarium_machine_free(machine);
  return 0;
}
