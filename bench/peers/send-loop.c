/*
 * The limit of fan-out: a server that writes finished frames to each of its clients, a batch of them
 * with one system call, and does nothing else.
 *
 *   send-loop CLIENTS BYTES   says `port N`, takes CLIENTS WebSocket clients (any handshake will do), says
 *                             `open`; then for each line `send BATCHES FRAMES` on stdin sends so many
 *                             batches of FRAMES frames of BYTES of payload to all of them and says `sent`.
 *
 * Sockets block: what a client does not read in time is waited for, so that nothing is buffered here.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS_MAX = 4096, FRAME_MAX = 65536, BATCH_MAX = 64 };

static void die(const char *what) { perror(what); exit(1); }

/* Answers the request whatever it asks for: the readers of the bench do not look. */
static void shake_hands(int fd) {
  static const char answer[] =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
  char request[4096];
  size_t length = 0;
  while (length < sizeof request - 1) {
    ssize_t got = recv(fd, request + length, sizeof request - 1 - length, 0);
    if (got <= 0) die("recv");
    length += (size_t)got;
    request[length] = 0;
    if (strstr(request, "\r\n\r\n") != NULL) break;
  }
  if (send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0) die("send");
}

static void send_all(int fd, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
    if (sent <= 0) die("send");
    bytes += sent;
    length -= (size_t)sent;
  }
}

int main(int count, char **arguments) {
  static int clients[CLIENTS_MAX];
  static uint8_t batch[FRAME_MAX * BATCH_MAX];
  int clients_count = count > 1 ? atoi(arguments[1]) : 0, bytes = count > 2 ? atoi(arguments[2]) : 0;
  if (clients_count < 1 || clients_count > CLIENTS_MAX || bytes < 126 || bytes > FRAME_MAX - 4) {
    fprintf(stderr, "usage: send-loop CLIENTS BYTES\n");
    return 2;
  }
  for (int i = 0; i < BATCH_MAX; i++) {
    uint8_t *frame = batch + i * (bytes + 4);
    frame[0] = 0x82;
    frame[1] = 126;
    frame[2] = (uint8_t)(bytes >> 8);
    frame[3] = (uint8_t)bytes;
    memset(frame + 4, 7, (size_t)bytes);
  }
  int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (listener < 0 || bind(listener, (void *)&address, length) < 0 || listen(listener, 1024) < 0) die("listen");
  getsockname(listener, (void *)&address, &length);
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (int i = 0; i < clients_count; i++) {
    clients[i] = accept(listener, NULL, NULL);
    if (clients[i] < 0) die("accept");
    setsockopt(clients[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    shake_hands(clients[i]);
  }
  printf("open\n");
  fflush(stdout);
  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL) {
    long batches = 0;
    int frames = 0;
    if (sscanf(line, "send %ld %d", &batches, &frames) != 2 || frames < 1 || frames > BATCH_MAX) continue;
    size_t length = (size_t)frames * (size_t)(bytes + 4);
    for (long sent = 0; sent < batches; sent++)
      for (int i = 0; i < clients_count; i++) send_all(clients[i], batch, length);
    printf("sent\n");
    fflush(stdout);
  }
  return 0;
}
