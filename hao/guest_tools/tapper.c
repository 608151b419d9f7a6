/*
 * tapper: ties a TAP interface of the guest to a serial line.
 *
 * On the line every Ethernet frame, without its check sum, follows its length in two bytes, the high one first. Frames are put
 * together from whatever pieces the line delivers, and written out whole however little it takes at a time.
 *
 * It is C89 with Linux headers, so that the compilers of old systems take it too.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <termios.h>
#include <unistd.h>

/* From <linux/if_tun.h>, which not every system has. */
#define TAP_SET_INTERFACE _IOW('T', 202, int)
#define TAP_FLAG_TAP 0x0002
#define TAP_FLAG_NO_INFORMATION 0x1000

#define LARGEST_FRAME 3000 /* more cannot be on the line: it is out of step */
#define SMALLEST_FRAME 14

typedef struct {
  int tapper_headers; /* two bytes of length before each frame on the line */
  int tuntap_headers; /* the interface's own four bytes before each frame */
  int randomize;
  int verbose;
  const char *address;
  const char *netmask;
  const char *interface;
  const char *in;
  const char *out;
} Options;

typedef struct {
  unsigned char bytes[2 + 4 + LARGEST_FRAME];
  size_t length; /* bytes in it */
  size_t sent;   /* of them, already written */
} Frame;

typedef struct {
  unsigned long frames_in, frames_out, skipped;
} Totals;

static volatile sig_atomic_t stopped = 0;

static void stop(int number) {
  (void)number;
  stopped = 1;
}

static void fail(const char *what) {
  fprintf(stderr, "tapper: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void usage(void) {
  fputs(
      "usage: tapper [OPTIONS] IN OUT\n"
      "Ties a TAP interface to the serial line IN/OUT (usually /dev/ttyS1 twice; - - is standard input and output).\n"
      "  --tapper-headers      two bytes of length before each frame on the line\n"
      "  --tuntap-headers      the kernel's four bytes before each frame too\n"
      "  --ip-address ADDRESS  address of the interface\n"
      "  --netmask MASK        its network mask (255.255.255.0)\n"
      "  --randomize-ip        the address's host part is chosen at random\n"
      "  --interface NAME      name of the interface (tap0)\n"
      "  -v                    say what passes\n",
      stderr);
  exit(2);
}

static int number_of(const char *const *names, const char *name) {
  int i;
  for (i = 0; names[i] != NULL; ++i) {
    if (strcmp(names[i], name) == 0) return i;
  }
  return -1;
}

static Options options_of(int count, char **words) {
  static const char *const names[] = {"--tapper-headers", "--tuntap-headers", "--randomize-ip", "-v",
                                      "--ip-address",     "--netmask",        "--interface",    NULL};
  Options o;
  int i, place = 0;
  memset(&o, 0, sizeof o);
  o.netmask = "255.255.255.0";
  o.interface = "tap0";
  for (i = 1; i < count; ++i) {
    const int option = number_of(names, words[i]);
    if (option >= 4 && ++i >= count) usage();
    switch (option) {
      case 0: o.tapper_headers = 1; break;
      case 1: o.tuntap_headers = 1; break;
      case 2: o.randomize = 1; break;
      case 3: o.verbose = 1; break;
      case 4: o.address = words[i]; break;
      case 5: o.netmask = words[i]; break;
      case 6: o.interface = words[i]; break;
      default:
        if ((words[i][0] == '-' && words[i][1] != '\0') || place == 2) usage();
        if (place++ == 0) o.in = words[i];
        else o.out = words[i];
    }
  }
  if (place != 2 || strlen(o.interface) >= IFNAMSIZ) usage();
  return o;
}

/*
 * Bytes that differ between machines even when they were started in the same second. The kernel's pool may hold nothing but the date
 * so soon after power-on, so the fine clock and what memory the process was given are mixed in.
 */
static void random_bytes(unsigned char *out, size_t count) {
  struct timeval now;
  unsigned long mix, fine = 0;
  size_t i;
  const int pool = open("/dev/urandom", O_RDONLY);
  memset(out, 0, count);
  if (pool >= 0) {
    if (read(pool, out, count) < 0) memset(out, 0, count);
    close(pool);
  }
  gettimeofday(&now, NULL);
#if defined(__i386__) && defined(__GNUC__) && !defined(__TINYC__)
  {
    unsigned int low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    fine = low ^ high;
  }
#endif
  mix = (unsigned long)now.tv_sec * 1000003UL ^ (unsigned long)now.tv_usec ^ fine ^ (unsigned long)getpid() << 16;
  for (i = 0; i < count; ++i) {
    mix = mix * 1103515245UL + 12345UL;
    out[i] = (unsigned char)(out[i] ^ (mix >> 16));
  }
}

static void set_address(int control, struct ifreq *request, unsigned long number, const char *text) {
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  if (inet_aton(text, &address.sin_addr) == 0) {
    fprintf(stderr, "tapper: %s is not an address\n", text);
    exit(2);
  }
  memcpy(&request->ifr_addr, &address, sizeof address);
  if (ioctl(control, number, request) < 0) fail(text);
}

/* The address with a host part from 2 to all ones less one: 1 is usually the way out. */
static const char *random_address(const char *address, const char *netmask) {
  struct in_addr base, mask;
  unsigned long hosts, host = 0;
  unsigned char bytes[4];
  if (inet_aton(address, &base) == 0 || inet_aton(netmask, &mask) == 0) return address;
  hosts = ~(unsigned long)ntohl(mask.s_addr) & 0xffffffffUL;
  if (hosts < 4) return address;
  random_bytes(bytes, sizeof bytes);
  host = (unsigned long)bytes[0] << 24 | (unsigned long)bytes[1] << 16 | (unsigned long)bytes[2] << 8 | bytes[3];
  host = 2 + host % (hosts - 2);
  base.s_addr = htonl((unsigned int)((ntohl(base.s_addr) & ~hosts) | host));
  return inet_ntoa(base);
}

static int open_tap(const Options *o) {
  struct ifreq request;
  int control;
  const int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (tap < 0) fail("/dev/net/tun");
  memset(&request, 0, sizeof request);
  strcpy(request.ifr_name, o->interface);
  request.ifr_flags = (short)(TAP_FLAG_TAP | (o->tuntap_headers ? 0 : TAP_FLAG_NO_INFORMATION));
  if (ioctl(tap, TAP_SET_INTERFACE, &request) < 0) fail(o->interface);

  control = socket(AF_INET, SOCK_DGRAM, 0);
  if (control < 0) fail("socket");
  {
    unsigned char mac[6];
    random_bytes(mac, sizeof mac);
    mac[0] = (unsigned char)((mac[0] & 0xfc) | 0x02); /* locally administered, not a group */
    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(request.ifr_hwaddr.sa_data, mac, sizeof mac);
    if (ioctl(control, SIOCSIFHWADDR, &request) < 0) fail("hardware address");
  }
  if (o->address != NULL) {
    char address[32];
    strncpy(address, o->randomize ? random_address(o->address, o->netmask) : o->address, sizeof address - 1);
    address[sizeof address - 1] = '\0';
    set_address(control, &request, SIOCSIFADDR, address);
    set_address(control, &request, SIOCSIFNETMASK, o->netmask);
    printf("%s: %s\n", o->interface, address);
    fflush(stdout);
  }
  if (ioctl(control, SIOCGIFFLAGS, &request) < 0) fail(o->interface);
  request.ifr_flags = (short)(request.ifr_flags | IFF_UP | IFF_RUNNING);
  if (ioctl(control, SIOCSIFFLAGS, &request) < 0) fail(o->interface);
  close(control);
  return tap;
}

/* Every byte as it is, both ways, at once. */
static void make_raw(int line) {
  struct termios t;
  if (tcgetattr(line, &t) < 0) return; /* a pipe or a file */
  t.c_iflag = 0;
  t.c_oflag = 0;
  t.c_lflag = 0;
  t.c_cflag = CS8 | CREAD | CLOCAL;
  cfsetispeed(&t, B115200);
  cfsetospeed(&t, B115200);
  t.c_cc[VMIN] = 1;
  t.c_cc[VTIME] = 0;
  if (tcsetattr(line, TCSANOW, &t) < 0) fail("the line's settings");
}

static int open_line(const char *name, int flags, int standard) {
  int line;
  if (strcmp(name, "-") == 0) return standard;
  line = open(name, flags | O_NOCTTY);
  if (line < 0) fail(name);
  make_raw(line);
  fcntl(line, F_SETFL, O_NONBLOCK);
  return line;
}

static int would_block(void) { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

/* Takes one frame from the interface into an empty buffer. */
static void read_tap(int tap, const Options *o, Frame *up, Totals *totals) {
  const size_t head = o->tapper_headers ? 2 : 0;
  const ssize_t got = read(tap, up->bytes + head, sizeof up->bytes - head);
  if (got < 0 && !would_block()) fail("reading the interface");
  if (got <= 0) return;
  if (head != 0) {
    up->bytes[0] = (unsigned char)(got >> 8);
    up->bytes[1] = (unsigned char)got;
  }
  up->length = head + (size_t)got;
  up->sent = 0;
  ++totals->frames_out;
  if (o->verbose) fprintf(stderr, "tapper: out %ld bytes\n", (long)got);
}

static void write_line(int line, Frame *up) {
  const ssize_t put = write(line, up->bytes + up->sent, up->length - up->sent);
  if (put < 0 && !would_block()) fail("writing the line");
  if (put > 0) up->sent += (size_t)put;
  if (up->sent == up->length) up->length = up->sent = 0;
}

static void write_tap(int tap, const Options *o, const unsigned char *frame, size_t length, Totals *totals) {
  if (write(tap, frame, length) < 0) {
    /* The interface is down or the frame is none: the network loses frames, the line does not lose its place. */
    ++totals->skipped;
    if (o->verbose) fprintf(stderr, "tapper: the interface refused %lu bytes: %s\n", (unsigned long)length, strerror(errno));
    return;
  }
  ++totals->frames_in;
  if (o->verbose) fprintf(stderr, "tapper: in %lu bytes\n", (unsigned long)length);
}

/* How many bytes the next frame takes with its header: 0 when that cannot be said yet. */
static size_t next_size(const Frame *down) {
  if (down->length < 2) return 0;
  return 2 + ((size_t)down->bytes[0] << 8 | down->bytes[1]);
}

/* Gives every whole frame in the buffer to the interface. A length that cannot be drops what is there, to find a frame's start again. */
static void take_frames(int tap, const Options *o, Frame *down, Totals *totals) {
  size_t size;
  while ((size = next_size(down)) != 0) {
    if (size - 2 > LARGEST_FRAME || size - 2 < SMALLEST_FRAME) {
      fprintf(stderr, "tapper: a length of %lu on the line cannot be; %lu bytes skipped\n", (unsigned long)(size - 2),
              (unsigned long)down->length);
      ++totals->skipped;
      down->length = 0;
      return;
    }
    if (down->length < size) return;
    write_tap(tap, o, down->bytes + 2, size - 2, totals);
    down->length -= size;
    memmove(down->bytes, down->bytes + size, down->length);
  }
}

/* False at the end of the line. */
static int read_line(int line, int tap, const Options *o, Frame *down, Totals *totals) {
  const ssize_t got = read(line, down->bytes + down->length, sizeof down->bytes - down->length);
  if (got < 0 && !would_block()) fail("reading the line");
  if (got == 0) return 0;
  if (got < 0) return 1;
  down->length += (size_t)got;
  if (o->tapper_headers) {
    take_frames(tap, o, down, totals);
  } else {
    write_tap(tap, o, down->bytes, down->length, totals);
    down->length = 0;
  }
  return 1;
}

static void carry(int in, int out, int tap, const Options *o, Totals *totals) {
  static Frame up, down;
  const int highest = in > out ? (in > tap ? in : tap) : (out > tap ? out : tap);
  while (!stopped) {
    fd_set readable, writable;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_SET(in, &readable);
    /* The next frame is taken when the last one is on the line: until then the interface queues them. */
    if (up.length == 0) FD_SET(tap, &readable);
    else FD_SET(out, &writable);
    if (select(highest + 1, &readable, &writable, NULL, NULL) < 0) {
      if (errno == EINTR) continue;
      fail("select");
    }
    if (FD_ISSET(in, &readable) && !read_line(in, tap, o, &down, totals)) return;
    if (FD_ISSET(tap, &readable)) read_tap(tap, o, &up, totals);
    if (up.length != 0) write_line(out, &up);
  }
}

int main(int count, char **words) {
  const Options o = options_of(count, words);
  Totals totals;
  int in, out, tap;
  memset(&totals, 0, sizeof totals);
  in = open_line(o.in, O_RDONLY, 0);
  out = open_line(o.out, O_WRONLY, 1);
  tap = open_tap(&o);
  signal(SIGINT, stop);
  signal(SIGTERM, stop);
  carry(in, out, tap, &o, &totals);
  if (o.verbose) fprintf(stderr, "tapper: %lu frames in, %lu out, %lu skipped\n", totals.frames_in, totals.frames_out, totals.skipped);
  return 0;
}
