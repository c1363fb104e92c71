/*
 * The readers of the fan-out bench: bare sockets that count what arrives, and while a schedule is set,
 * how long after it was due each message was there. All messages have one size, so that the number of
 * bytes tells which message is whole. Sleeps in epoll while there is nothing to read, as a client does.
 *
 *   fanout-readers PORT CLIENTS FRAME_BYTES ORIGIN_NS CELLS CORE
 *
 * CELLS is a file of doubles that the bench reads and writes too (fanout-readers-layout.ts says what
 * stands where); times count from ORIGIN_NS of the monotonic clock. CORE is the core to keep to, or -1.
 * Says `open` once all are connected; ends when its stdin does.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 4096, READ_BYTES = 1 << 18, EVENTS = 1024, STDIN = CLIENTS_MAX };
/* As in fanout-readers-layout.ts. */
enum { BYTES, FIRST_DUE_NS, STEP_NS, SAMPLES, READER_DOUBLES };

struct reading { int fd; double schedule; uint64_t bytes; };

static struct reading readings[CLIENTS_MAX];
static double *cells;
static long samples_max;
static uint64_t origin_ns, frame_bytes;

static void die(const char *what) { perror(what); exit(1); }

/* Pairs with the reads and writes of the bench, which are system calls. */
static double cell(int at) {
  double value;
  __atomic_load(&cells[at], &value, __ATOMIC_ACQUIRE);
  return value;
}

static void set_cell(int at, double value) { __atomic_store(&cells[at], &value, __ATOMIC_RELEASE); }

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)((uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec - origin_ns);
}

static void map_cells(const char *path) {
  int fd = open(path, O_RDWR);
  off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
  if (size < (off_t)(READER_DOUBLES * sizeof *cells)) die("cells");
  cells = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (cells == MAP_FAILED) die("mmap");
  samples_max = (long)(size / (off_t)sizeof *cells) - READER_DOUBLES;
}

static int open_socket(int port) {
  char request[512], answer[4096];
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (fd < 0 || connect(fd, (void *)&address, sizeof address) < 0) die("connect");
  int length = snprintf(request, sizeof request,
                        "GET /v1/feed HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                        "Sec-WebSocket-Version: 13\r\n\r\n", port);
  if (send(fd, request, (size_t)length, MSG_NOSIGNAL) != length) die("send");
  /* A byte at a time: what follows the handshake is counted. */
  for (size_t got = 0; got < 4 || memcmp(answer + got - 4, "\r\n\r\n", 4) != 0; got++)
    if (got == sizeof answer || recv(fd, answer + got, 1, 0) != 1) die("handshake");
  return fd;
}

static void take(struct reading *reading, uint64_t count) {
  set_cell(BYTES, cell(BYTES) + (double)count);
  double first_due_ns = cell(FIRST_DUE_NS);
  if (first_due_ns == 0) return;
  if (first_due_ns != reading->schedule) {
    reading->schedule = first_due_ns;
    reading->bytes = 0;
  }
  double now = now_ns(), step_ns = cell(STEP_NS);
  uint64_t message = reading->bytes / frame_bytes;
  reading->bytes += count;
  for (; message < reading->bytes / frame_bytes; message++) {
    long at = (long)cell(SAMPLES);
    if (at >= samples_max) return;
    cells[READER_DOUBLES + at] = now - first_due_ns - (double)message * step_ns;
    set_cell(SAMPLES, (double)(at + 1));
  }
}

static void watch(int epoll, int fd, uint32_t which) {
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = which};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
}

int main(int count, char **arguments) {
  static uint8_t buffer[READ_BYTES];
  static struct epoll_event events[EVENTS];
  int clients = count == 7 ? atoi(arguments[2]) : 0;
  frame_bytes = count == 7 ? strtoull(arguments[3], NULL, 10) : 0;
  if (clients < 1 || clients > CLIENTS_MAX || frame_bytes == 0) {
    fprintf(stderr, "usage: fanout-readers PORT CLIENTS FRAME_BYTES ORIGIN_NS CELLS CORE\n");
    return 2;
  }
  origin_ns = strtoull(arguments[4], NULL, 10);
  map_cells(arguments[5]);
  int core = atoi(arguments[6]), epoll = epoll_create1(0);
  if (epoll < 0) die("epoll_create1");
  if (core >= 0) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    if (sched_setaffinity(0, sizeof cores, &cores) < 0) die("sched_setaffinity");
  }
  for (int i = 0; i < clients; i++) {
    readings[i].fd = open_socket(atoi(arguments[1]));
    watch(epoll, readings[i].fd, (uint32_t)i);
  }
  watch(epoll, 0, STDIN);
  printf("open\n");
  fflush(stdout);
  for (;;) {
    int ready = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < ready; i++) {
      uint32_t which = events[i].data.u32;
      if (which == STDIN) return 0;
      ssize_t got = recv(readings[which].fd, buffer, sizeof buffer, 0);
      if (got <= 0) die("recv");
      take(&readings[which], (uint64_t)got);
    }
  }
}
