/*
 * Both ends of the pipeline benches, and the floor between them, in one small program so that the
 * measuring costs the machine as little as it can.
 *
 *   loopback feed [SYMBOLS]  a venue on a loopback port (REST exchangeInfo and depth, WebSocket) and a
 *                            client of a feed. Says `port N`; then obeys lines on stdin, answering each:
 *                              connect PORT PATH   subscribes to a feed       -> {"connected":true}
 *                              run RATE MS         open loop at RATE frames/s -> {"sent":…,"p50":…,…}
 *                              flood WINDOW MS     as fast as WINDOW frames on the way allow, an
 *                                                  eighth of WINDOW at a time
 *   loopback readers PORT PATH CLIENTS [SYMBOLS]   more clients, who read and forget. Says `port 0`.
 *   loopback relay PORT      passes the venue's bytes to one client unread: the floor. Says `port N`.
 *
 * SYMBOLS is a power of two up to 64; frame n is of symbol n % SYMBOLS (the first is BTCUSDT).
 * Frame number n (the venue's update id) is due at a fixed time; what counts is from when it was due to
 * when the client has read the message that carries it (no coordinated omission). A message is a
 * FlatBuffers BookDelta (number in Head.venue_sequence) or, behind the relay, the venue's own frame.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TEMPLATES = 64, LEVELS_A_SIDE = 10, BOOK_TICKS = 100, FRAME_MAX = 2048, CONNECTIONS = 32 };
enum { DUE_SLOTS = 1 << 21, SAMPLES = 1 << 22, OUT_BYTES = 1 << 22, IN_BYTES = 1 << 20 };
enum { IDLE_RATE = 200 };
/* So that the number before it, of the same symbol, has ten digits too: a leading zero is no JSON. */
static const uint64_t FIRST_ID = 1000001000ull;

static void die(const char *what) { perror(what); exit(1); }

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static uint64_t unix_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (uint64_t)t.tv_sec * 1000ull + (uint64_t)t.tv_nsec / 1000000ull;
}

/* ---- sockets ---- */

static int listen_on_any_port(int *port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (fd < 0) die("socket");
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (void *)&address, sizeof address) < 0 || listen(fd, 64) < 0) die("listen");
  getsockname(fd, (void *)&address, &length);
  *port = ntohs(address.sin_port);
  return fd;
}

static void no_delay(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int connect_to(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (fd < 0 || connect(fd, (void *)&address, sizeof address) < 0) die("connect");
  no_delay(fd);
  return fd;
}

static void send_all(int fd, const void *bytes, size_t length) {
  const char *at = bytes;
  while (length > 0) {
    ssize_t sent = send(fd, at, length, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) { struct pollfd p = {fd, POLLOUT, 0}; poll(&p, 1, 1000); continue; }
    if (sent <= 0) return;
    at += sent;
    length -= (size_t)sent;
  }
}

/* ---- the WebSocket handshake (RFC 6455): SHA-1 and base64 ---- */

static uint32_t rotate(uint32_t x, int by) { return (x << by) | (x >> (32 - by)); }

static void sha1_block(uint32_t h[5], const uint8_t *block) {
  uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
           (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
  for (int i = 16; i < 80; i++) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  for (int i = 0; i < 80; i++) {
    uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
    uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
    uint32_t t = rotate(a, 5) + f + e + k + w[i];
    e = d; d = c; c = rotate(b, 30); b = a; a = t;
  }
  h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e;
}

static void accept_key(const char *key, size_t key_length, char out[29]) {
  static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  uint8_t message[128] = {0}, digest[21] = {0};
  uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  size_t length = key_length + 36;
  memcpy(message, key, key_length);
  memcpy(message + key_length, GUID, 36);
  message[length] = 0x80;
  message[126] = (uint8_t)(length * 8 >> 8);
  message[127] = (uint8_t)(length * 8);
  sha1_block(h, message);
  sha1_block(h, message + 64);
  for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
  for (int i = 0; i < 7; i++) {
    uint32_t three = (uint32_t)digest[3 * i] << 16 | (uint32_t)digest[3 * i + 1] << 8 | digest[3 * i + 2];
    for (int j = 0; j < 4; j++) out[4 * i + j] = DIGITS[three >> (18 - 6 * j) & 63];
  }
  out[27] = '=';
  out[28] = 0;
}

static void answer_upgrade(int fd, const char *request) {
  static const char NAME[] = "sec-websocket-key:";
  char key[29], answer[256];
  const char *at = strcasestr(request, NAME);
  if (at == NULL) return;
  for (at += sizeof NAME - 1; *at == ' '; at++) {}
  accept_key(at, strcspn(at, "\r\n"), key);
  int length = snprintf(answer, sizeof answer,
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", key);
  send_all(fd, answer, (size_t)length);
}

/* A client's text frame; the mask is zero, as RFC 6455 lets it be. */
static void send_masked(int fd, int opcode, const void *payload, size_t length) {
  uint8_t head[8] = {(uint8_t)(0x80 | opcode), 0x80 | 126, (uint8_t)(length >> 8), (uint8_t)length};
  if (length < 126) { head[1] = (uint8_t)(0x80 | length); head[2] = head[3] = 0; }
  send_all(fd, head, length < 126 ? 6 : 8);
  send_all(fd, payload, length);
}

/* Asks for an upgrade and reads the answer, byte by byte so that no frame is taken with it. */
static void upgrade(int fd, int port, const char *path) {
  char request[512], tail[4] = {0}, byte;
  int length = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                        "Sec-WebSocket-Version: 13\r\n\r\n", path, port);
  send_all(fd, request, (size_t)length);
  while (memcmp(tail, "\r\n\r\n", 4) != 0) {
    if (recv(fd, &byte, 1, 0) != 1) die("upgrade");
    memmove(tail, tail + 1, 3);
    tail[3] = byte;
  }
}

/* ---- the venue ---- */

struct template { char bytes[FRAME_MAX]; size_t length, event_ms, engine_ms, first, last, previous; };
struct connection { int fd; int is_socket; size_t length; char in[16384]; };

static struct template templates[TEMPLATES];
static unsigned symbols_count = 1;
static struct connection connections[CONNECTIONS];
static uint64_t due_ns[DUE_SLOTS];
static char out[OUT_BYTES];
static size_t out_from, out_to;
static int stream_fd = -1;

enum mode { IDLE, RUN, FLOOD };
static _Atomic int mode = IDLE;
static _Atomic uint64_t next_id = FIRST_ID + 1, end_id, sent_id = FIRST_ID;
static _Atomic double rate = IDLE_RATE;
static _Atomic uint64_t window_frames, received_id = FIRST_ID, received_count, flood_from, flood_until_ns;
static _Atomic int restart_schedule = 1;
/* Only where a core is left for who is measured; BENCH_ENDS=sleep for ends that sleep between frames. */
static int spins;

static void symbol_name(unsigned symbol, char *name) {
  if (symbol == 0) strcpy(name, "BTCUSDT");
  else sprintf(name, "SYM%02uUSDT", symbol % 100);
}

static size_t put(struct template *t, const char *text) {
  size_t length = strlen(text);
  memcpy(t->bytes + t->length, text, length);
  t->length += length;
  return t->length;
}

static void put_levels(struct template *t, int is_ask, unsigned *seed) {
  char level[64];
  for (int i = 0; i < LEVELS_A_SIDE; i++) {
    int ticks = rand_r(seed) % BOOK_TICKS, price = is_ask ? 600000 + ticks : 599999 - ticks;
    int size = rand_r(seed) % 3 == 0 ? 0 : 1 + rand_r(seed) % 99999;
    snprintf(level, sizeof level, "%s[\"%d.%d0\",\"%d.%03d\"]", i == 0 ? "" : ",", price / 10, price % 10,
             size / 1000, size % 1000);
    put(t, level);
  }
}

static void make_templates(void) {
  unsigned seed = 20240718;
  for (int i = 0; i < TEMPLATES; i++) {
    struct template *t = &templates[i];
    char name[16], lower[16] = {0};
    symbol_name((unsigned)i % symbols_count, name);
    for (size_t j = 0; j < strlen(name); j++) lower[j] = (char)tolower(name[j]);
    t->length = 4; /* room for the frame's header */
    put(t, "{\"stream\":\"");
    put(t, lower);
    t->event_ms = put(t, "@depth@0ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":");
    t->engine_ms = put(t, "0000000000000,\"T\":");
    put(t, "0000000000000,\"s\":\"");
    put(t, name);
    t->first = put(t, "\",\"U\":");
    t->last = put(t, "0000000000,\"u\":");
    t->previous = put(t, "0000000000,\"pu\":");
    put(t, "0000000000,\"b\":[");
    put_levels(t, 0, &seed);
    put(t, "],\"a\":[");
    put_levels(t, 1, &seed);
    put(t, "]}}");
    size_t payload = t->length - 4;
    t->bytes[0] = (char)0x81;
    t->bytes[1] = 126;
    t->bytes[2] = (char)(payload >> 8);
    t->bytes[3] = (char)payload;
  }
}

static void put_digits(char *at, uint64_t value, int digits) {
  while (digits-- > 0) { at[digits] = (char)('0' + value % 10); value /= 10; }
}

static void append_frame(uint64_t id, uint64_t ms) {
  struct template *t = &templates[id % TEMPLATES];
  char *frame = out + out_to;
  memcpy(frame, t->bytes, t->length);
  put_digits(frame + t->event_ms, ms, 13);
  put_digits(frame + t->engine_ms, ms, 13);
  put_digits(frame + t->first, id, 10);
  put_digits(frame + t->last, id, 10);
  put_digits(frame + t->previous, id - symbols_count, 10);
  out_to += t->length;
}

/* For the stream's own connection: in order with the frames, of which one may be half sent. */
static void append_raw(const void *bytes, size_t length) {
  if (out_to + length > OUT_BYTES) return;
  memcpy(out + out_to, bytes, length);
  out_to += length;
}

static void flush_out(void) {
  while (out_from < out_to) {
    ssize_t sent = send(stream_fd, out + out_from, out_to - out_from, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent <= 0) { stream_fd = -1; break; }
    out_from += (size_t)sent;
  }
  out_from = out_to = 0;
}

/* Writes what is due; returns how long to wait for the next. */
static uint64_t feed(void) {
  static uint64_t first_due_ns, first_id;
  if (stream_fd < 0) return 10000000;
  flush_out();
  uint64_t now = now_ns(), ms = unix_ms(), id = next_id;
  if (restart_schedule) { restart_schedule = 0; first_due_ns = now; first_id = id; }
  double period = 1e9 / rate;
  uint64_t wait = 50000;
  if (mode == FLOOD && now < flood_until_ns) {
    /* In batches: a feeder that sends a few frames as soon as there is room for them takes the
       processor from those who are measured. */
    uint64_t room = flood_from + received_count + window_frames - id;
    wait = 500000;
    if (id > flood_from && room < window_frames / 8) return wait;
  }
  while (out_to + FRAME_MAX < OUT_BYTES) {
    uint64_t due = now;
    if (mode == FLOOD) {
      if (now >= flood_until_ns || id > flood_from + received_count + window_frames) break;
    } else {
      if (mode == RUN && id >= end_id) break;
      due = first_due_ns + (uint64_t)((double)(id - first_id) * period);
      if (due > now) { wait = due - now; break; }
    }
    due_ns[id % DUE_SLOTS] = due;
    append_frame(id, ms);
    id++;
  }
  next_id = id;
  flush_out();
  sent_id = id - 1;
  return wait;
}

static void answer_http(int fd, const char *body) {
  char head[256];
  int length = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\n\r\n", strlen(body));
  send_all(fd, head, (size_t)length);
  send_all(fd, body, strlen(body));
}

static void answer_depth(int fd, const char *request) {
  static char body[65536];
  const char *name = strcasestr(request, "symbol=SYM");
  uint64_t symbol = name == NULL ? 0 : strtoull(name + 10, NULL, 10), last = sent_id;
  while (last % symbols_count != symbol) last--;

  size_t length = (size_t)snprintf(body, sizeof body, "{\"lastUpdateId\":%llu,\"E\":%llu,\"T\":%llu,\"bids\":[",
                                   (unsigned long long)last, (unsigned long long)unix_ms(),
                                   (unsigned long long)unix_ms());
  for (int side = 0; side < 2; side++) {
    for (int i = 0; i < BOOK_TICKS; i++) {
      int price = side == 1 ? 600000 + i : 599999 - i;
      length += (size_t)snprintf(body + length, sizeof body - length, "%s[\"%d.%d0\",\"1.000\"]",
                                 i == 0 ? "" : ",", price / 10, price % 10);
    }
    length += (size_t)snprintf(body + length, sizeof body - length, side == 0 ? "],\"asks\":[" : "]}");
  }
  answer_http(fd, body);
}

static void answer_exchange_info(int fd) {
  static const char SYMBOL[] =
      "%s{\"symbol\":\"%s\",\"pair\":\"%s\",\"contractType\":\"PERPETUAL\",\"status\":\"TRADING\","
      "\"baseAsset\":\"B%u\",\"quoteAsset\":\"USDT\",\"filters\":["
      "{\"filterType\":\"PRICE_FILTER\",\"tickSize\":\"0.10\",\"minPrice\":\"0.10\",\"maxPrice\":\"9999999\"},"
      "{\"filterType\":\"LOT_SIZE\",\"stepSize\":\"0.001\",\"minQty\":\"0.001\",\"maxQty\":\"1000\"}]}";
  static char body[65536];
  size_t length = (size_t)sprintf(body, "{\"symbols\":[");
  for (unsigned i = 0; i < symbols_count; i++) {
    char name[16];
    symbol_name(i, name);
    length += (size_t)snprintf(body + length, sizeof body - length, SYMBOL, i == 0 ? "" : ",", name, name, i);
  }
  snprintf(body + length, sizeof body - length, "]}");
  answer_http(fd, body);
}

static void on_request(struct connection *c) {
  if (strcasestr(c->in, "upgrade: websocket") != NULL) {
    answer_upgrade(c->fd, c->in);
    c->is_socket = 1;
  } else if (strstr(c->in, "exchangeInfo") != NULL) {
    answer_exchange_info(c->fd);
  } else {
    answer_depth(c->fd, c->in);
  }
}

/* Frames of the subscriber: what says SUBSCRIBE is acknowledged and gets the stream. */
static void on_frames(struct connection *c) {
  uint8_t *bytes = (uint8_t *)c->in;
  size_t at = 0;
  while (c->length - at >= 6) {
    size_t length = bytes[at + 1] & 127, head = 2;
    if (length == 126) { length = (size_t)bytes[at + 2] << 8 | bytes[at + 3]; head = 4; }
    if (c->length - at < head + 4 + length) break;
    uint8_t *mask = bytes + at + head, *payload = mask + 4;
    for (size_t i = 0; i < length; i++) payload[i] ^= mask[i & 3];
    if (memmem(payload, length, "SUBSCRIBE", 9) != NULL) {
      const char *id = memmem(payload, length, "\"id\":", 5);
      char ack[128];
      int bytes_long = snprintf(ack + 2, sizeof ack - 2, "{\"result\":null,\"id\":%d}", id == NULL ? 1 : atoi(id + 5));
      ack[0] = (char)0x81;
      ack[1] = (char)bytes_long;
      if (stream_fd != c->fd) {
        stream_fd = c->fd;
        out_from = out_to = 0;
        restart_schedule = 1;
      }
      append_raw(ack, (size_t)bytes_long + 2);
    }
    at += head + 4 + length;
  }
  memmove(c->in, c->in + at, c->length - at);
  c->length -= at;
}

static void on_readable(struct connection *c) {
  ssize_t got = recv(c->fd, c->in + c->length, sizeof c->in - 1 - c->length, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    if (c->fd == stream_fd) stream_fd = -1;
    close(c->fd);
    c->fd = -1;
    return;
  }
  c->length += (size_t)got;
  c->in[c->length] = 0;
  if (!c->is_socket) {
    if (strstr(c->in, "\r\n\r\n") == NULL) return;
    on_request(c);
    c->length = 0;
    return;
  }
  on_frames(c);
}

/* ---- the client of a feed ---- */

static uint32_t samples[SAMPLES];
static _Atomic uint64_t samples_count, record_from, record_to, lost_count;

static uint64_t read_u64(const uint8_t *at) { uint64_t v; memcpy(&v, at, 8); return v; }
static uint32_t read_u32(const uint8_t *at) { uint32_t v; memcpy(&v, at, 4); return v; }
static uint16_t read_u16(const uint8_t *at) { uint16_t v; memcpy(&v, at, 2); return v; }

static const uint8_t *field_of(const uint8_t *table, int index) {
  const uint8_t *vtable = table - (int32_t)read_u32(table);
  if (4 + 2 * index + 2 > read_u16(vtable)) return NULL;
  uint16_t offset = read_u16(vtable + 4 + 2 * index);
  return offset == 0 ? NULL : table + offset;
}

/* Update id that a message carries, 0 if it is no delta. */
static uint64_t id_of(int opcode, const uint8_t *bytes, size_t length) {
  if (opcode == 1) {
    size_t at = templates[0].last - 4;
    if (length < 300 || memcmp(bytes + at - 5, ",\"u\":", 5) != 0) return 0;
    return strtoull((const char *)bytes + at, NULL, 10);
  }
  const uint8_t *message = bytes + read_u32(bytes);
  const uint8_t *type = field_of(message, 0), *body = field_of(message, 1);
  if (type == NULL || body == NULL || *type != 2) return 0;
  const uint8_t *head = field_of(body + read_u32(body), 0);
  return head == NULL ? 0 : read_u64(head + 24);
}

static void on_message(uint64_t id, uint64_t now) {
  static uint64_t previous;
  /* Symbols of different workers may overtake each other: then the count of frames says if any is missing. */
  if (symbols_count == 1 && previous != 0 && id != previous + 1) lost_count += id > previous ? id - previous - 1 : 1;
  if (id > previous) received_id = previous = id;
  if (id < record_from || id >= record_to) return;
  received_count++;
  uint64_t count = samples_count, spent = now - due_ns[id % DUE_SLOTS];
  if (count >= SAMPLES) return;
  samples[count] = spent > UINT32_MAX ? UINT32_MAX : (uint32_t)spent;
  samples_count = count + 1;
}

/* Takes what has arrived; 0 if the connection is over. */
static int read_client(int fd, int flags) {
  static uint8_t in[IN_BYTES];
  static size_t length = 0;
  ssize_t got = recv(fd, in + length, IN_BYTES - length, flags);
  if (got < 0 && errno == EAGAIN) return 1;
  if (got <= 0) { fprintf(stderr, "loopback: the feed closed the connection\n"); return 0; }
  uint64_t now = now_ns();
  length += (size_t)got;
  size_t at = 0;
  while (length - at >= 2) {
    size_t payload = in[at + 1] & 127, head = 2;
    if (payload == 126) { head = 4; if (length - at < 4) break; payload = (size_t)in[at + 2] << 8 | in[at + 3]; }
    if (payload == 127) { head = 10; if (length - at < 10) break; payload = be64toh(read_u64(in + at + 2)); }
    if (length - at < head + payload) break;
    int opcode = in[at] & 15;
    if (opcode == 9) send_masked(fd, 10, in + at + head, payload);
    else if (opcode <= 2 && payload > 32) {
      uint64_t id = id_of(opcode, in + at + head, payload);
      if (id != 0) on_message(id, now);
    }
    at += head + payload;
  }
  memmove(in, in + at, length - at);
  length -= at;
  return 1;
}

/* Whoever holds it reads the client's socket: its own thread, or the spinning one. */
static pthread_mutex_t client_lock = PTHREAD_MUTEX_INITIALIZER;
static int client_fd = -1;

static void *run_client(void *argument) {
  (void)argument;
  struct timeval wait = {0, 1000};
  setsockopt(client_fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  for (int is_open = 1; is_open;) {
    while (spins && mode == RUN) usleep(20000);
    pthread_mutex_lock(&client_lock);
    is_open = read_client(client_fd, 0);
    pthread_mutex_unlock(&client_lock);
  }
  return NULL;
}

/* ---- both ends on one thread ---- */

static void serve(int listener, uint64_t wait) {
  struct pollfd fds[CONNECTIONS + 1] = {{listener, POLLIN, 0}};
  for (int i = 0; i < CONNECTIONS; i++) fds[i + 1] = (struct pollfd){connections[i].fd, POLLIN, 0};
  for (int i = 0; i < CONNECTIONS; i++)
    if (fds[i + 1].fd >= 0 && fds[i + 1].fd == stream_fd && out_from < out_to) fds[i + 1].events |= POLLOUT;
  struct timespec timeout = {(time_t)(wait / 1000000000ull), (long)(wait % 1000000000ull)};
  if (ppoll(fds, CONNECTIONS + 1, &timeout, NULL) <= 0) return;
  if (fds[0].revents & POLLIN) {
    int fd = accept(listener, NULL, NULL);
    for (int i = 0; fd >= 0 && i < CONNECTIONS; i++) {
      if (connections[i].fd >= 0) continue;
      no_delay(fd);
      connections[i] = (struct connection){.fd = fd};
      break;
    }
  }
  for (int i = 0; i < CONNECTIONS; i++)
    if (fds[i + 1].revents & (POLLIN | POLLHUP | POLLERR)) on_readable(&connections[i]);
}

/* A run at a fixed rate: sends by the clock and looks for what came, without ever sleeping, so that
   what is measured is the system between and not how long the machine takes to wake up its ends.
   Whoever waits for this core gets it at once, between two looks; unless somebody kept it for long:
   then the kernel shares it out for a while. */
static void spin(int listener) {
  enum { LONG_NS = 500000, SHARED_NS = 5000000 };
  uint64_t yields_from = 0;
  pthread_mutex_lock(&client_lock);
  for (unsigned turn = 0; mode == RUN; turn++) {
    feed();
    if (client_fd >= 0 && !read_client(client_fd, MSG_DONTWAIT)) break;
    if (turn % 256 == 0) serve(listener, 0);
    uint64_t before = now_ns();
    if (before < yields_from) continue;
    sched_yield();
    if (now_ns() - before > LONG_NS) yields_from = before + SHARED_NS;
  }
  pthread_mutex_unlock(&client_lock);
  while (mode == RUN) serve(listener, feed());
}

static void *run_venue(void *argument) {
  int listener = *(int *)argument;
  prctl(PR_SET_TIMERSLACK, 1);
  for (int i = 0; i < CONNECTIONS; i++) connections[i].fd = -1;
  for (;;) {
    if (spins && mode == RUN) spin(listener);
    serve(listener, feed());
  }
  return NULL;
}

static int by_value(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static double quantile_us(double q) {
  uint64_t count = samples_count;
  if (count == 0) return -1;
  uint64_t at = (uint64_t)(q * (double)count);
  return samples[at >= count ? count - 1 : at] / 1e3;
}

static void report(uint64_t from, uint64_t to, uint64_t begin_ns, uint64_t end_ns) {
  qsort(samples, samples_count, sizeof samples[0], by_value);
  double seconds = (double)(end_ns - begin_ns) / 1e9;
  printf("{\"sent\":%llu,\"received\":%llu,\"lost\":%llu,\"perSecond\":%.0f,\"p50\":%.1f,\"p99\":%.1f,"
         "\"p999\":%.1f,\"max\":%.1f}\n",
         (unsigned long long)(to - from), (unsigned long long)received_count, (unsigned long long)lost_count,
         (double)received_count / seconds, quantile_us(0.5), quantile_us(0.99), quantile_us(0.999),
         quantile_us(1));
}

static void sleep_us(unsigned us) { usleep(us); }

/* Waits for so many frames, at most 3 s; returns when they were there. */
static uint64_t wait_for(uint64_t frames) {
  uint64_t deadline = now_ns() + 3000000000ull;
  while (received_count < frames && now_ns() < deadline) sleep_us(500);
  return now_ns();
}

static void measure(int how, double per_second, unsigned window, unsigned ms) {
  mode = IDLE;
  rate = IDLE_RATE;
  restart_schedule = 1;
  sleep_us(100000);
  samples_count = received_count = lost_count = 0;
  uint64_t from = next_id + 50, begin = now_ns();
  uint64_t frames = (uint64_t)(per_second * ms / 1e3);
  record_from = from;
  record_to = how == RUN ? from + frames : UINT64_MAX;
  end_id = from + frames;
  window_frames = window;
  flood_from = from;
  flood_until_ns = begin + (uint64_t)ms * 1000000ull;
  rate = per_second;
  restart_schedule = 1;
  mode = how;
  if (how == RUN) {
    sleep_us(ms * 1000);
    uint64_t deadline = now_ns() + 3000000000ull;
    while (sent_id < end_id - 1 && now_ns() < deadline) sleep_us(500);
  } else {
    sleep_us(ms * 1000 + 1000);
  }
  uint64_t last = how == RUN ? end_id - 1 : sent_id, done = wait_for(last + 1 - from);
  record_to = 0;
  mode = IDLE;
  rate = IDLE_RATE;
  restart_schedule = 1;
  report(from, last + 1, begin, done);
}

static int open_client(int port, const char *path) {
  int fd = connect_to(port);
  upgrade(fd, port, path);
  for (unsigned i = 0; i < symbols_count; i++) {
    char name[16], text[160];
    symbol_name(i, name);
    int length = snprintf(text, sizeof text, "{\"op\":\"subscribe\",\"id\":%u,\"channel\":\"book\","
                          "\"instrument\":\"binance-futures:%s\"}", i + 1, name);
    send_masked(fd, 1, text, (size_t)length);
  }
  return fd;
}

static void obey(void) {
  char line[256], path[128];
  int port;
  double per_second;
  unsigned window, ms;
  pthread_t client;
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (sscanf(line, "connect %d %127s", &port, path) == 2) {
      client_fd = open_client(port, path);
      pthread_create(&client, NULL, run_client, NULL);
      uint64_t deadline = now_ns() + 8000000000ull;
      while (received_id == FIRST_ID && now_ns() < deadline) sleep_us(1000);
      printf("{\"connected\":%s}\n", received_id == FIRST_ID ? "false" : "true");
    } else if (sscanf(line, "run %lf %u", &per_second, &ms) == 2) {
      measure(RUN, per_second, 0, ms);
    } else if (sscanf(line, "flood %u %u", &window, &ms) == 2) {
      measure(FLOOD, 1e6, window, ms);
    }
  }
}

static void run_readers(int port, const char *path, int clients) {
  static struct pollfd fds[1024];
  static char bytes[1 << 18];
  for (int i = 0; i < clients; i++) fds[i] = (struct pollfd){open_client(port, path), POLLIN, 0};
  printf("port 0\n");
  while (poll(fds, (nfds_t)clients, -1) > 0)
    for (int i = 0; i < clients; i++)
      if (fds[i].revents != 0 && recv(fds[i].fd, bytes, sizeof bytes, 0) <= 0) return;
}

/* ---- the floor ---- */

static void run_relay(int venue_port) {
  static const char SUBSCRIBE[] = "{\"method\":\"SUBSCRIBE\",\"params\":[\"btcusdt@depth@0ms\"],\"id\":1}";
  static char bytes[1 << 18];
  int port, listener = listen_on_any_port(&port);
  printf("port %d\n", port);
  int client = accept(listener, NULL, NULL);
  no_delay(client);
  ssize_t got = recv(client, bytes, sizeof bytes - 1, 0);
  bytes[got < 0 ? 0 : got] = 0;
  answer_upgrade(client, bytes);
  int venue = connect_to(venue_port);
  upgrade(venue, venue_port, "/public/stream");
  send_masked(venue, 1, SUBSCRIBE, sizeof SUBSCRIBE - 1);
  while ((got = recv(venue, bytes, sizeof bytes, 0)) > 0) send_all(client, bytes, (size_t)got);
}

int main(int count, char **arguments) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (count == 3 && strcmp(arguments[1], "relay") == 0) {
    run_relay(atoi(arguments[2]));
    return 0;
  }
  if (count >= 5 && strcmp(arguments[1], "readers") == 0) {
    if (count == 6) symbols_count = (unsigned)atoi(arguments[5]);
    run_readers(atoi(arguments[2]), arguments[3], atoi(arguments[4]));
    return 0;
  }
  if (count == 3) symbols_count = (unsigned)atoi(arguments[2]);
  int port, listener = listen_on_any_port(&port);
  pthread_t venue;
  const char *ends = getenv("BENCH_ENDS");
  spins = sysconf(_SC_NPROCESSORS_ONLN) > 1 && (ends == NULL || strcmp(ends, "sleep") != 0);
  make_templates();
  pthread_create(&venue, NULL, run_venue, &listener);
  printf("port %d\n", port);
  obey();
  return 0;
}
