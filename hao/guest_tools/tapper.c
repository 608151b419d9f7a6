/*
 * tapper: ties a TAP interface of the guest to a serial line.
 *
 * On the line every Ethernet frame, without its check sum, follows its length in two bytes, the high one first. Frames are put
 * together from whatever pieces the line delivers, and written out whole however little it takes at a time. A length that cannot be, a
 * sender that cannot be, or a frame whose rest does not come means that a length was wrong: the next frame that is certainly one for
 * this station is looked for, byte by byte, in what has come and what follows.
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
#include <time.h>
#include <unistd.h>

/* From <linux/if_tun.h>, which not every system has. */
#define TAP_SET_INTERFACE _IOW('T', 202, int)
#define TAP_FLAG_TAP 0x0002
#define TAP_FLAG_NO_INFORMATION 0x1000

#define LARGEST_FRAME 3000 /* more cannot be on the line: it is out of step */
#define ETHERNET_HEAD 14   /* receiver, sender, kind */
#define LONGEST_PAUSE 3    /* seconds between the pieces of a frame */

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
  Frame frame; /* what has come and is not taken yet; it begins with a frame's length while `in_step` */
  int in_step;
  size_t front; /* bytes before a frame: its length, and the kernel's own four if they are on the line */
  time_t last;  /* when something came */
  unsigned char mac[6];
} Downlink;

typedef struct {
  unsigned long frames_in, frames_out, refused, lost_step;
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

/* Opens the interface, gives it the hardware address `mac` and the network address of the options, and switches it on. */
static int open_tap(const Options *o, const unsigned char *mac) {
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
  request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
  memcpy(request.ifr_hwaddr.sa_data, mac, 6);
  if (ioctl(control, SIOCSIFHWADDR, &request) < 0) fail("hardware address");
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
#ifdef CRTSCTS
  t.c_cflag |= CRTSCTS; /* the system stops the line before it would lose a byte */
#endif
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
    ++totals->refused;
    if (o->verbose) fprintf(stderr, "tapper: the interface refused %lu bytes: %s\n", (unsigned long)length, strerror(errno));
    return;
  }
  ++totals->frames_in;
  if (o->verbose) fprintf(stderr, "tapper: in %lu bytes\n", (unsigned long)length);
}

static size_t length_at(const unsigned char *front) { return (size_t)front[0] << 8 | front[1]; }

/* A frame that this station would take, of a protocol that it speaks. */
static int is_for_us(const unsigned char *frame, const unsigned char *mac) {
  static const unsigned char everyone[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  const unsigned int kind = (unsigned int)frame[12] << 8 | frame[13];
  const int ipv4_group = frame[0] == 0x01 && frame[1] == 0x00 && frame[2] == 0x5e;
  const int ipv6_group = frame[0] == 0x33 && frame[1] == 0x33;
  if (kind != 0x0800 && kind != 0x0806 && kind != 0x86dd) return 0;
  return ipv4_group || ipv6_group || memcmp(frame, mac, 6) == 0 || memcmp(frame, everyone, sizeof everyone) == 0;
}

/* Whether a frame with its length starts at `at`: 1 for yes, 0 for no, -1 when too little has come to say. */
static int starts_frame(const Downlink *down, size_t at) {
  const unsigned char *front = down->frame.bytes + at;
  const unsigned char *frame = front + down->front;
  const size_t left = down->frame.length - at;
  if (left < 2) return -1;
  if (length_at(front) > LARGEST_FRAME || length_at(front) + 2 < down->front + ETHERNET_HEAD) return 0;
  if (left < down->front + ETHERNET_HEAD) return -1;
  if (frame[6] & 1) return 0; /* the sender is never a group */
  return down->in_step || is_for_us(frame, down->mac);
}

/* Says so once: a log must not fill the memory because somebody sends nonsense. */
static void lose_step(const Options *o, Downlink *down, Totals *totals, const char *why) {
  if (o->verbose || totals->lost_step == 0) fprintf(stderr, "tapper: %s on the line: looking for the next frame\n", why);
  down->in_step = 0;
  ++totals->lost_step;
}

/* Gives every whole frame from `at` on to the interface, and keeps the rest. */
static void take_frames(int tap, const Options *o, Downlink *down, size_t at, Totals *totals) {
  Frame *f = &down->frame;
  int start;
  while ((start = starts_frame(down, at)) >= 0) {
    const size_t size = 2 + length_at(f->bytes + at);
    if (start == 0) {
      if (down->in_step) lose_step(o, down, totals, "no frame");
      ++at;
      continue;
    }
    down->in_step = 1;
    if (f->length - at < size) break;
    write_tap(tap, o, f->bytes + at + 2, size - 2, totals);
    at += size;
  }
  f->length -= at;
  memmove(f->bytes, f->bytes + at, f->length);
}

/* A frame whose rest does not come had a wrong length: what followed it is in the buffer. */
static void end_pause(int tap, const Options *o, Downlink *down, Totals *totals) {
  if (!down->in_step || down->frame.length == 0 || time(NULL) - down->last < LONGEST_PAUSE) return;
  lose_step(o, down, totals, "a part of a frame");
  take_frames(tap, o, down, 1, totals);
}

/* False at the end of the line. */
static int read_line(int line, int tap, const Options *o, Downlink *down, Totals *totals) {
  Frame *f = &down->frame;
  const ssize_t got = read(line, f->bytes + f->length, sizeof f->bytes - f->length);
  if (got < 0 && !would_block()) fail("reading the line");
  if (got == 0) return 0;
  if (got < 0) return 1;
  f->length += (size_t)got;
  down->last = time(NULL);
  if (o->tapper_headers) {
    take_frames(tap, o, down, 0, totals);
  } else {
    write_tap(tap, o, f->bytes, f->length, totals);
    f->length = 0;
  }
  return 1;
}

static void carry(int in, int out, int tap, const Options *o, Downlink *down, Totals *totals) {
  static Frame up;
  const int highest = in > out ? (in > tap ? in : tap) : (out > tap ? out : tap);
  while (!stopped) {
    struct timeval second;
    fd_set readable, writable;
    second.tv_sec = 1;
    second.tv_usec = 0;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_SET(in, &readable);
    /* The next frame is taken when the last one is on the line: until then the interface queues them. */
    if (up.length == 0) FD_SET(tap, &readable);
    else FD_SET(out, &writable);
    if (select(highest + 1, &readable, &writable, NULL, down->frame.length == 0 ? NULL : &second) < 0) {
      if (errno == EINTR) continue;
      fail("select");
    }
    if (FD_ISSET(in, &readable) && !read_line(in, tap, o, down, totals)) return;
    end_pause(tap, o, down, totals);
    if (FD_ISSET(tap, &readable)) read_tap(tap, o, &up, totals);
    if (up.length != 0) write_line(out, &up);
  }
}

int main(int count, char **words) {
  static Downlink down;
  const Options o = options_of(count, words);
  Totals totals;
  int in, out, tap;
  memset(&totals, 0, sizeof totals);
  in = open_line(o.in, O_RDONLY, 0);
  out = open_line(o.out, O_WRONLY, 1);
  random_bytes(down.mac, sizeof down.mac);
  down.mac[0] = (unsigned char)((down.mac[0] & 0xfc) | 0x02); /* locally administered, not a group */
  down.in_step = 1;
  down.front = o.tuntap_headers ? 2 + 4 : 2;
  tap = open_tap(&o, down.mac);
  signal(SIGINT, stop);
  signal(SIGTERM, stop);
  carry(in, out, tap, &o, &down, &totals);
  if (o.verbose) {
    fprintf(stderr, "tapper: %lu frames in, %lu out, %lu refused; %lu times out of step\n", totals.frames_in, totals.frames_out,
            totals.refused, totals.lost_step);
  }
  return 0;
}
