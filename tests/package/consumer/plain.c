/* The library for C: an error has a sentence, and the Linux inside boots until its shell asks for a command. */
#include <stdio.h>
#include <string.h>

#include <tuxarium.h>

static bool boots(tuxarium_machine *machine) {
  char console[65536];
  size_t size = 0;
  while (size + 1 < sizeof console && tuxarium_read_counters(machine).cycles < 1000000000) {
    tuxarium_run(machine, 1000000, 0);
    size += tuxarium_serial_read(machine, 0, console + size, sizeof console - 1 - size);
    console[size] = '\0';
    if (strstr(console, "/root # ")) return true;
  }
  fprintf(stderr, "no shell; the console shows:\n%s\n", console);
  return false;
}

int main(void) {
  tuxarium_error error;
  tuxarium_config *config = tuxarium_config_new();
  tuxarium_machine *machine;
  bool good;
  if (tuxarium_boot_linux(config, "/no/such/kernel", NULL, NULL, &error) || strstr(error.message, "/no/such/kernel") == NULL) return 1;
  if (!tuxarium_boot_default(config, &error)) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  tuxarium_set_cycles_clock(config, 100000000, 0);
  machine = tuxarium_machine_new(config, &error);
  tuxarium_config_free(config);
  if (machine == NULL) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  good = boots(machine);
  tuxarium_machine_free(machine);
  return good ? 0 : 1;
}
