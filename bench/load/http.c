// Announces over HTTP (BEP 3, 23): connections that are kept, or one for each announce, with one request under way on each.
#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 64, REQUEST_ROOM = 1024, REPLY_ROOM = 16384, MOST_DEPTH = 8 };

struct connection {
  int fd;  // -1: none
  uint32_t source;
  int is_busy;
  int wants_to_send;
  int64_t since_ns;
  int request_length, request_sent;
  int reply_length;
  char request[REQUEST_ROOM];
  char reply[REPLY_ROOM];
};

static struct connection *connections;
static int epoll;
static int busy_count;

static void watch(struct connection *c, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  if (epoll_ctl(epoll, operation, c->fd, &event) != 0) fail("epoll_ctl");
}

static void open_connection(struct connection *c, uint32_t source) {
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = source_address(source)};
  int yes = 1;
  c->source = source;
  c->wants_to_send = 0;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) fail("socket");
  // The port is chosen at the connect, which then may use one that is in use towards another address.
  setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (bind(c->fd, (struct sockaddr *)&own, sizeof own) != 0) fail("bind");
  if (connect(c->fd, (struct sockaddr *)&options.tracker, sizeof options.tracker) != 0 && errno != EINPROGRESS) fail("connect");
  watch(c, EPOLL_CTL_ADD, EPOLLIN);
}

// Connections that are kept are there before the clock runs, as are the connection ids of UDP.
static void open_all(void) {
  for (int i = 0; i < options.window; i++) open_connection(&connections[i], source_of(next_peer()));
  for (int i = 0; i < options.window; i++) {
    struct pollfd one = {.fd = connections[i].fd, .events = POLLOUT};
    int error = 0;
    socklen_t length = sizeof error;
    if (poll(&one, 1, 1000) != 1 || getsockopt(one.fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0) fail("connect");
  }
}

static void close_connection(struct connection *c) {
  if (c->fd >= 0) close(c->fd);
  c->fd = -1;
}

static void finish(struct connection *c) {
  c->is_busy = 0;
  busy_count--;
}

static void lose(struct connection *c) {
  counters.lost++;
  finish(c);
  close_connection(c);
}

static int escape(char *out, const uint8_t *bytes, int count) {
  static const char hex[] = "0123456789abcdef";
  for (int i = 0; i < count; i++) {
    *out++ = '%';
    *out++ = hex[bytes[i] >> 4];
    *out++ = hex[bytes[i] & 15];
  }
  return 3 * count;
}

static void write_request(struct connection *c, uint64_t peer) {
  uint8_t hash[ID_BYTES], id[ID_BYTES];
  char escaped[3 * ID_BYTES];
  put_info_hash(hash, torrent_of(peer));
  put_peer_id(id, peer);
  int escaped_length = escape(escaped, hash, ID_BYTES);
  c->request_length = snprintf(
      c->request, REQUEST_ROOM,
      "GET /announce?info_hash=%.*s&peer_id=%.*s&port=%u&uploaded=0&downloaded=0&left=1&compact=1&numwant=%d%s HTTP/1.1\r\n"
      "Host: tracker\r\nUser-Agent: bench\r\nConnection: %s\r\n\r\n",
      escaped_length, escaped, ID_BYTES, (const char *)id, port_of(peer), options.numwant,
      options.is_fill ? "&event=started" : "", options.is_closing ? "close" : "keep-alive");
}

// Sends what is left of the request; what the system does not take yet is sent when it does.
static void send_request(struct connection *c) {
  ssize_t sent = send(c->fd, c->request + c->request_sent, c->request_length - c->request_sent, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != ENOTCONN && errno != EINPROGRESS) {
    lose(c);
    return;
  }
  if (sent > 0) c->request_sent += sent;
  int has_rest = c->request_sent < c->request_length;
  if (has_rest != c->wants_to_send) watch(c, EPOLL_CTL_MOD, has_rest ? EPOLLIN | EPOLLOUT : EPOLLIN);
  c->wants_to_send = has_rest;
}

static void announce(struct connection *c, int64_t since_ns) {
  uint64_t peer = next_peer();
  if (c->fd < 0) open_connection(c, source_of(peer));
  // A connection that is kept speaks for the peers of its own address.
  else if (!options.is_fill) {
    peer = peer - source_of(peer) + c->source;
    if (torrent_of(peer) >= options.torrents) peer -= options.sources;
  }
  write_request(c, peer);
  c->request_sent = c->reply_length = 0;
  c->is_busy = 1;
  c->since_ns = since_ns;
  busy_count++;
  counters.sent++;
  send_request(c);
}

// Where the bencoded value at `at` ends; NULL where it is none.
static const char *value_end(const char *at, const char *end) {
  int depth = 0;
  do {
    if (at >= end) return NULL;
    if (*at == 'd' || *at == 'l') {
      if (++depth > MOST_DEPTH) return NULL;
      at++;
    } else if (*at == 'e') {
      depth--;
      at++;
    } else if (*at == 'i') {
      at = memchr(at, 'e', end - at);
      if (at++ == NULL) return NULL;
    } else {
      char *colon;
      long length = strtol(at, &colon, 10);
      if (colon == at || *colon != ':' || length < 0 || length > end - colon - 1) return NULL;
      at = colon + 1 + length;
    }
  } while (depth > 0);
  return depth == 0 ? at : NULL;
}

static void judge(struct connection *c, const char *body, const char *end) {
  const char *reason = memmem(body, end - body, "14:failure reason", 17);
  if (strncmp(c->reply + 8, " 200", 4) != 0 || *body != 'd' || value_end(body, end) != end) {
    if (counters.broken++ == 0) fprintf(stderr, "broken: %.*s\n", (int)(end - c->reply), c->reply);
  } else if (reason != NULL) {
    if (counters.refused++ == 0) fprintf(stderr, "refused: %.*s\n", (int)(end - reason), reason);
  } else {
    const char *peers = memmem(body, end - body, "5:peers", 7);
    note_answer(now_ns() - c->since_ns, peers == NULL ? 0 : strtoul(peers + 7, NULL, 10) / COMPACT_PEER_BYTES);
  }
}

// Looks whether the reply is whole; `is_over`: the tracker has closed. Returns whether it was judged.
static int take_reply(struct connection *c, int is_over) {
  c->reply[c->reply_length] = 0;
  char *head_end = strstr(c->reply, "\r\n\r\n");
  if (head_end == NULL) return 0;
  const char *body = head_end + 4, *end = c->reply + c->reply_length;
  *head_end = 0;
  const char *length = strcasestr(c->reply, "\r\ncontent-length:");
  int is_kept = !options.is_closing && strncmp(c->reply, "HTTP/1.1", 8) == 0 && strcasestr(c->reply, "connection: close") == NULL;
  *head_end = '\r';
  const char *wanted = length == NULL ? NULL : body + strtol(length + 17, NULL, 10);
  if (wanted == NULL ? !is_over : end < wanted) return 0;
  judge(c, body, wanted == NULL ? end : wanted);
  finish(c);
  if (!is_kept || is_over) close_connection(c);
  return 1;
}

static void receive(struct connection *c) {
  int room = REPLY_ROOM - c->reply_length - 1;
  ssize_t length = recv(c->fd, c->reply + c->reply_length, room, 0);
  if (length < 0 && errno == EAGAIN) return;
  if (length > 0) c->reply_length += length;
  if (!c->is_busy) close_connection(c);
  else if (!take_reply(c, length <= 0) && (length <= 0 || length == room)) lose(c);
}

// Starts announces on idle connections, as many as may be; the next call goes on behind the last of them.
static void announce_more(int64_t began, int64_t now) {
  static int turn;
  int64_t most = allowance(began, now);
  for (int i = 0; i < options.window && most > 0 && busy_count < options.window && !is_filled(); i++) {
    struct connection *c = &connections[turn];
    turn = (turn + 1) % options.window;
    if (c->is_busy) continue;
    announce(c, options.per_second > 0 ? due_ns(began, counters.sent) : now_ns());
    most--;
  }
}

static void give_up_lost(int64_t now) {
  for (int i = 0; i < options.window; i++) {
    if (connections[i].is_busy && now - connections[i].since_ns > options.patience_ns) lose(&connections[i]);
  }
}

void run_http(void) {
  connections = calloc(options.window, sizeof *connections);
  epoll = epoll_create1(0);
  for (int i = 0; i < options.window; i++) connections[i].fd = -1;
  if (!options.is_closing && !options.is_fill) open_all();
  int64_t began = now_ns(), end = began + (int64_t)(options.seconds * 1e9), looked = began, now;
  while ((now = now_ns()) < end && !(is_filled() && busy_count == 0)) {
    announce_more(began, now);
    struct epoll_event events[EVENTS];
    int is_waiting = options.per_second == 0 && (busy_count == options.window || is_filled());
    int count = epoll_wait(epoll, events, EVENTS, is_waiting ? 20 : 0);
    for (int i = 0; i < count; i++) {
      struct connection *c = events[i].data.ptr;
      if (c->is_busy && c->wants_to_send) send_request(c);
      if (c->fd >= 0 && (events[i].events & ~EPOLLOUT) != 0) receive(c);
    }
    if (now - looked > options.patience_ns / 4) {
      looked = now;
      give_up_lost(now);
    }
  }
  for (int i = 0; i < options.window; i++) close_connection(&connections[i]);
}
