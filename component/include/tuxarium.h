/*
 * The machine for programs in C and for whatever calls C: engines that load plug-ins, other languages. The library is tuxarium_c, with everything
 * it needs inside (pkg-config tuxarium-c; CMake tuxarium::c).
 *
 *   tuxarium_error error;
 *   tuxarium_config *config = tuxarium_config_new();
 *   tuxarium_machine *machine = NULL;
 *   if (config && tuxarium_boot_default(config, &error)) machine = tuxarium_machine_new(config, &error);
 *   tuxarium_config_free(config);
 *   if (!machine) return complain(error.message);
 *   for (each frame) {
 *     tuxarium_run(machine, 0, 4000000);
 *     size = tuxarium_serial_read(machine, 0, buffer, sizeof buffer);
 *   }
 *   tuxarium_machine_free(machine);
 *
 * Errors: a function with a `tuxarium_error *` returns false or NULL when it fails, and then fills the error in, unless that is NULL. No
 * exception leaves the library, and nothing that a guest does is an error here.
 *
 * Ownership: the caller frees what a function named ..._new() gave. Strings and buffers that are passed in are copied before the call returns.
 * Paths and texts are in UTF-8.
 *
 * Threads: one thread at a time may use a configuration or a machine; tuxarium_request_stop() alone may be called from any thread. Machines share
 * nothing.
 */
#ifndef TUXARIUM_H
#define TUXARIUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define TUXARIUM_API __attribute__((visibility("default")))
#else
#define TUXARIUM_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Version of the library that is running, MAJOR * 10000 + MINOR * 100 + PATCH. */
TUXARIUM_API unsigned tuxarium_version(void);

/** What kind of thing went wrong. */
typedef enum tuxarium_error_code {
  TUXARIUM_ERROR_INVALID_ARGUMENT = 1, /**< a value is out of its range, or a pointer is NULL */
  TUXARIUM_ERROR_NOT_FOUND,            /**< a file or folder does not exist */
  TUXARIUM_ERROR_IO,                   /**< the operating system refused or failed */
  TUXARIUM_ERROR_BAD_IMAGE,            /**< a kernel, ROM, disk or manifest is malformed or truncated */
  TUXARIUM_ERROR_UNSUPPORTED,          /**< well-formed, but not something this version or build can do */
  TUXARIUM_ERROR_NO_MEMORY             /**< the host has no memory left */
} tuxarium_error_code;

/** A failure; `message` is a sentence for people, cut at the array's end, with a 0 behind it. */
typedef struct tuxarium_error {
  tuxarium_error_code code;
  char message[512];
} tuxarium_error;

/** How a machine will be built. */
typedef struct tuxarium_config tuxarium_config;

/** An i386 PC. */
typedef struct tuxarium_machine tuxarium_machine;

/* ---- Configuration ---- */

/** A configuration with nothing to boot, 16 MiB of RAM and no disk or network. NULL when there is no memory. */
TUXARIUM_API tuxarium_config *tuxarium_config_new(void);

/** Frees a configuration, also one that a machine was made of. NULL is allowed. */
TUXARIUM_API void tuxarium_config_free(tuxarium_config *config);

/** Boots the Linux inside the library, with its disk as the first drive unless another one is set. */
TUXARIUM_API bool tuxarium_boot_default(tuxarium_config *config, tuxarium_error *error);

/** Boots a JSLinux: `vmlinux-2.6.20.bin`, `linuxstart.bin` and, when there, `root.bin` in a folder. `command_line` may be NULL. */
TUXARIUM_API bool tuxarium_boot_jslinux(tuxarium_config *config, const char *directory, const char *command_line, tuxarium_error *error);

/** Boots a Linux bzImage or i386 vmlinux. `initrd` and `command_line` may be NULL. */
TUXARIUM_API bool tuxarium_boot_linux(tuxarium_config *config, const char *kernel, const char *initrd, const char *command_line, tuxarium_error *error);

/** Boots a ROM image that ends below 4 GiB and 1 MiB. */
TUXARIUM_API bool tuxarium_boot_rom(tuxarium_config *config, const char *image, tuxarium_error *error);

/** Boots a Multiboot (version 1) kernel without modules. `command_line` may be NULL. */
TUXARIUM_API bool tuxarium_boot_multiboot(tuxarium_config *config, const char *kernel, const char *command_line, tuxarium_error *error);

/** RAM in bytes: 1 MiB to 3 GiB, a multiple of 4096. Checked by tuxarium_machine_new(). */
TUXARIUM_API void tuxarium_set_ram(tuxarium_config *config, uint64_t bytes);

/** The processor: "full", "i686", "pentium", "486" or "jslinux". */
TUXARIUM_API bool tuxarium_set_cpu(tuxarium_config *config, const char *name, tuxarium_error *error);

/** Guest time follows retired instructions, so many a second, and the run repeats bit for bit from the same seed and inputs. */
TUXARIUM_API void tuxarium_set_cycles_clock(tuxarium_config *config, uint64_t cycles_per_second, uint64_t seed);

/** How a disk is kept. */
typedef enum tuxarium_disk_mode {
  TUXARIUM_DISK_VOLATILE = 0,  /**< the source stays as it is; what the guest writes is kept in memory */
  TUXARIUM_DISK_READ_ONLY = 1, /**< the guest's writes are refused; raw images only */
  TUXARIUM_DISK_IN_PLACE = 2   /**< the guest's writes go to the image; raw images only */
} tuxarium_disk_mode;

/** Sets drive 0 or 1. `source`: a raw image file, a folder of pieces, or the http:// or https:// URL of such a folder. */
TUXARIUM_API bool tuxarium_set_disk(tuxarium_config *config, unsigned drive, const char *source, tuxarium_disk_mode mode, tuxarium_error *error);

/** Sets drive 0 or 1 as TUXARIUM_DISK_VOLATILE does, with the guest's writes kept in the file `overlay` instead, which is made if need be. */
TUXARIUM_API bool tuxarium_set_disk_with_overlay(tuxarium_config *config, unsigned drive, const char *source, const char *overlay, tuxarium_error *error);

/** Gives ttyS1 a network of its own with a way out through this program's connections. Call it after all tuxarium_add_forward(). */
TUXARIUM_API bool tuxarium_set_user_network(tuxarium_config *config, bool host_loopback, tuxarium_error *error);

/**
 * For tuxarium_set_user_network(): what comes to a port of the host's 127.0.0.1 goes to a port of the guest. `udp`: datagrams, else TCP. False when
 * there is no memory.
 */
TUXARIUM_API bool tuxarium_add_forward(tuxarium_config *config, bool udp, uint16_t host_port, uint16_t guest_port);

/** Joins ttyS1 to a tuxarium-bridge at a ws:// or wss:// URL. `token` may be NULL. */
TUXARIUM_API bool tuxarium_set_websocket_network(tuxarium_config *config, const char *url, const char *token, tuxarium_error *error);

/** Called with lines that the library has to say, on the thread that is inside a call of the library; must not call back into it. */
typedef void tuxarium_log_function(void *user, int level, const char *line);

/**
 * Levels: 0 debug, 1 information, 2 warning, 3 error. `function` may be NULL for silence. Call it before the disks are set: those on web servers
 * talk too. False when there is no memory.
 */
TUXARIUM_API bool tuxarium_set_log(tuxarium_config *config, tuxarium_log_function *function, void *user);

/* ---- The machine ---- */

/**
 * Builds a machine and loads what it boots; it has not run yet. Takes the disks, the network and the boot source out of the configuration,
 * which is good for nothing but tuxarium_config_free() afterwards, whatever the outcome.
 */
TUXARIUM_API tuxarium_machine *tuxarium_machine_new(tuxarium_config *config, tuxarium_error *error);

/** Frees a machine. NULL is allowed. */
TUXARIUM_API void tuxarium_machine_free(tuxarium_machine *machine);

/** Why tuxarium_run() came back. */
typedef enum tuxarium_stop_reason {
  TUXARIUM_STOP_BUDGET = 0,       /**< one of the limits was reached */
  TUXARIUM_STOP_IDLE = 1,         /**< the guest waits; see tuxarium_run_result::idle_ns */
  TUXARIUM_STOP_REQUESTED = 2,    /**< by tuxarium_request_stop() */
  TUXARIUM_STOP_RESET = 3,        /**< the guest asked for a reset; the next run boots it anew */
  TUXARIUM_STOP_POWER_OFF = 4,    /**< the guest has halted for good; only tuxarium_reset() brings it back */
  TUXARIUM_STOP_TRIPLE_FAULT = 5  /**< the processor shut down; treated as a reset */
} tuxarium_stop_reason;

/** What one call of tuxarium_run() did. */
typedef struct tuxarium_run_result {
  tuxarium_stop_reason reason;
  uint64_t cycles;  /**< instructions retired in this call */
  uint64_t idle_ns; /**< with TUXARIUM_STOP_IDLE: nanoseconds of guest time until the next timer event */
} tuxarium_run_result;

/**
 * Runs the guest for at most `cycles` instructions and `wall_ns` nanoseconds; 0 is no limit, with both 0 until it idles or stops. Never blocks
 * or sleeps.
 */
TUXARIUM_API tuxarium_run_result tuxarium_run(tuxarium_machine *machine, uint64_t cycles, uint64_t wall_ns);

/** Makes a running or the next tuxarium_run() return soon. From any thread, and from a signal handler. */
TUXARIUM_API void tuxarium_request_stop(tuxarium_machine *machine);

/** Power-cycles the machine; its disks keep their content. */
TUXARIUM_API void tuxarium_reset(tuxarium_machine *machine);

/** True while the guest has stopped for good. */
TUXARIUM_API bool tuxarium_powered_off(const tuxarium_machine *machine);

/** Moves up to `size` bytes that the guest has sent on serial port 0 (the console) or 1 into `out`; returns how many. */
TUXARIUM_API size_t tuxarium_serial_read(tuxarium_machine *machine, unsigned port, void *out, size_t size);

/** Queues bytes for the guest; returns how many fitted, the rest is the caller's to offer again. With a network, port 1 takes and gives none. */
TUXARIUM_API size_t tuxarium_serial_write(tuxarium_machine *machine, unsigned port, const void *data, size_t size);

/** Copies the text in the clipboard into `out`, at most `size` bytes and no 0 behind them; returns how long the text is. */
TUXARIUM_API size_t tuxarium_clipboard_get(tuxarium_machine *machine, char *out, size_t size);

/** Replaces the text that the guest reads from /dev/clipboard. False when there is no memory for it. */
TUXARIUM_API bool tuxarium_clipboard_set(tuxarium_machine *machine, const char *text, size_t size);

/** How many times the guest has written to the clipboard. */
TUXARIUM_API uint64_t tuxarium_clipboard_guest_writes(tuxarium_machine *machine);

/** Totals since the machine was made. */
typedef struct tuxarium_counters {
  uint64_t cycles;        /**< retired instructions */
  uint64_t guest_time_ns; /**< guest time that has passed */
  uint64_t interrupts;    /**< hardware interrupts taken by the processor */
  uint64_t exceptions;    /**< faults and traps delivered */
  uint64_t disk_bytes_read;
  uint64_t disk_bytes_written;
  uint64_t resets;
} tuxarium_counters;

TUXARIUM_API tuxarium_counters tuxarium_read_counters(const tuxarium_machine *machine);

#ifdef __cplusplus
}
#endif

#endif /* TUXARIUM_H */
