// Announces over WebSocket (RFC 6455, WebTorrent): connections that stay, each a peer with one announce under way that has
// as many offers as peers are wanted. The offers of others that a connection is handed are counted, not answered.
#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 64, MESSAGE_ROOM = 4096, OFFER_ROOM = 4096, INPUT_ROOM = 65536, SDP_LINES = 24, MASK = 0x5a };
// Away from the torrents that were filled over UDP: whose peers no WebSocket client could be handed.
static const uint64_t FIRST_TORRENT = 1 << 24;

struct connection {
  int fd;
  int is_open;  // the tracker has agreed to WebSocket
  int is_busy;
  int64_t since_ns;
  int sent, input_length, message_length;
  uint8_t *message;  // the frame of its announce, always the same
  uint8_t *input;
};

static struct connection *connections;
static int epoll, open_count, busy_count;
static uint64_t offers;

static const char UPGRADE[] =
    "GET /announce HTTP/1.1\r\nHost: tracker\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

// Bytes as JSON has them, a character each.
static char *put_json_bytes(char *out, const uint8_t *bytes) {
  *out++ = '"';
  for (int i = 0; i < ID_BYTES; i++) {
    if (bytes[i] < 0x20 || bytes[i] == '"' || bytes[i] == '\\') out += sprintf(out, "\\u%04x", bytes[i]);
    else if (bytes[i] < 0x80) *out++ = bytes[i];
    else {
      *out++ = 0xc0 | bytes[i] >> 6;
      *out++ = 0x80 | (bytes[i] & 0x3f);
    }
  }
  *out++ = '"';
  return out;
}

// About as long as what a browser offers for a data channel.
static char *put_offer(char *out, const uint8_t *id) {
  out += sprintf(out, "{\"offer\":{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n");
  for (int i = 0; i < SDP_LINES; i++) out += sprintf(out, "a=candidate:%d 1 udp 2113937151 192.0.2.%d 4%04d typ host\\r\\n", i, i, i);
  out += sprintf(out, "\"},\"offer_id\":");
  out = put_json_bytes(out, id);
  *out++ = '}';
  return out;
}

static void write_announce(struct connection *c, uint64_t number) {
  uint8_t hash[ID_BYTES], id[ID_BYTES];
  put_info_hash(hash, FIRST_TORRENT + number % options.torrents);
  put_peer_id(id, number);
  char *text = malloc(MESSAGE_ROOM + options.numwant * OFFER_ROOM), *out = text;
  out += sprintf(out, "{\"action\":\"announce\",\"numwant\":%d,\"uploaded\":0,\"downloaded\":0,\"left\":1000,\"info_hash\":", options.numwant);
  out = put_json_bytes(out, hash);
  out += sprintf(out, ",\"peer_id\":");
  out = put_json_bytes(out, id);
  out += sprintf(out, ",\"offers\":[");
  for (int i = 0; i < options.numwant; i++) {
    if (i > 0) *out++ = ',';
    id[ID_BYTES - 1] = 0xf0 + i;
    out = put_offer(out, id);
  }
  out += sprintf(out, "]}");
  int length = out - text;
  if (length > 65535) fail("an announce is too long");
  uint8_t *frame = c->message = malloc(length + 8);
  int at = 2;
  frame[0] = 0x81;
  if (length < 126) frame[1] = 0x80 | length;
  else {
    frame[1] = 0x80 | 126;
    put_u16(frame + 2, length);
    at = 4;
  }
  memset(frame + at, MASK, 4);
  for (int i = 0; i < length; i++) frame[at + 4 + i] = text[i] ^ MASK;
  c->message_length = at + 4 + length;
  free(text);
}

static void watch(struct connection *c, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  if (epoll_ctl(epoll, operation, c->fd, &event) != 0) fail("epoll_ctl");
}

static void open_connection(struct connection *c, uint32_t number) {
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = source_address(number % options.sources)};
  int yes = 1;
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (c->fd < 0) fail("socket");
  setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (bind(c->fd, (struct sockaddr *)&own, sizeof own) != 0) fail("bind");
  if (connect(c->fd, (struct sockaddr *)&options.tracker, sizeof options.tracker) != 0) fail("connect");
  if (send(c->fd, UPGRADE, sizeof UPGRADE - 1, MSG_NOSIGNAL) != sizeof UPGRADE - 1) fail("send");
  c->input = malloc(INPUT_ROOM);
  write_announce(c, number);
  watch(c, EPOLL_CTL_ADD, EPOLLIN);
}

static void lose(struct connection *c) {
  counters.lost++;
  if (c->is_busy) busy_count--;
  c->is_busy = 0;
  close(c->fd);
  c->fd = -1;
}

// Sends what is left of the announce; what the system does not take yet is sent when it does.
static void send_message(struct connection *c) {
  ssize_t sent = send(c->fd, c->message + c->sent, c->message_length - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN) {
    lose(c);
    return;
  }
  int had_rest = c->sent > 0;
  if (sent > 0) c->sent += sent;
  int has_rest = c->sent < c->message_length;
  if (has_rest || had_rest) watch(c, EPOLL_CTL_MOD, has_rest ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void judge(struct connection *c, const char *text, size_t length) {
  if (length < 2 || text[0] != '{' || text[length - 1] != '}') {
    if (counters.broken++ == 0) fprintf(stderr, "broken: %.*s\n", (int)length, text);
  } else if (memmem(text, length, "\"offer\":", 8) != NULL) {
    if (memmem(text, length, "\"offer_id\":", 11) == NULL || memmem(text, length, "\"peer_id\":", 10) == NULL) counters.broken++;
    offers++;
  } else if (memmem(text, length, "\"interval\":", 11) == NULL) {
    if (counters.refused++ == 0) fprintf(stderr, "refused: %.*s\n", (int)length, text);
  } else if (c->is_busy) {
    c->is_busy = 0;
    busy_count--;
    // How many offers arrive is known in the end only.
    note_answer(now_ns() - c->since_ns, options.least_peers);
  } else counters.broken++;
}

// The frames that are whole; returns the bytes they have, -1 where one is not as a tracker sends them.
static int take_frames(struct connection *c, int at) {
  for (;;) {
    uint8_t *frame = c->input + at;
    int rest = c->input_length - at, head = 2;
    if (rest < 2) return at;
    if (frame[1] >= 127) return -1;
    size_t length = frame[1];
    if (length == 126) {
      if (rest < 4) return at;
      length = frame[2] << 8 | frame[3];
      head = 4;
    }
    if ((size_t)rest < head + length) return at;
    if (frame[0] == 0x81) judge(c, (const char *)frame + head, length);
    else if (frame[0] != 0x89) return -1;
    at += head + length;
  }
}

static void receive(struct connection *c) {
  ssize_t length = recv(c->fd, c->input + c->input_length, INPUT_ROOM - c->input_length, MSG_DONTWAIT);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) {
    lose(c);
    return;
  }
  c->input_length += length;
  int at = 0;
  if (!c->is_open) {
    char *end = memmem(c->input, c->input_length, "\r\n\r\n", 4);
    if (end == NULL) return;
    if (strncmp((char *)c->input, "HTTP/1.1 101", 12) != 0) {
      fprintf(stderr, "no WebSocket: %.*s\n", c->input_length, (char *)c->input);
      exit(1);
    }
    c->is_open = 1;
    open_count++;
    at = (uint8_t *)end + 4 - c->input;
  }
  int taken = take_frames(c, at);
  if (taken < 0) {
    counters.broken++;
    lose(c);
    return;
  }
  memmove(c->input, c->input + taken, c->input_length - taken);
  c->input_length -= taken;
}

static void wait_for_events(int timeout_ms) {
  struct epoll_event events[EVENTS];
  int count = epoll_wait(epoll, events, EVENTS, timeout_ms);
  for (int i = 0; i < count; i++) {
    struct connection *c = events[i].data.ptr;
    if (c->fd >= 0 && (events[i].events & EPOLLOUT) != 0) send_message(c);
    if (c->fd >= 0 && (events[i].events & ~EPOLLOUT) != 0) receive(c);
  }
}

static void announce_more(int64_t began, int64_t now) {
  static int turn;
  int64_t most = allowance(began, now);
  for (int i = 0; i < options.window && most > 0 && busy_count < options.window; i++) {
    struct connection *c = &connections[turn];
    turn = (turn + 1) % options.window;
    if (c->is_busy || c->fd < 0) continue;
    c->is_busy = 1;
    c->sent = 0;
    c->since_ns = options.per_second > 0 ? due_ns(began, counters.sent) : now_ns();
    busy_count++;
    counters.sent++;
    send_message(c);
    most--;
  }
}

void run_ws(void) {
  connections = calloc(options.window, sizeof *connections);
  epoll = epoll_create1(0);
  for (int i = 0; i < options.window; i++) {
    open_connection(&connections[i], i);
    while (open_count <= i) wait_for_events(20);
  }
  int64_t began = now_ns(), end = began + (int64_t)(options.seconds * 1e9), now;
  while ((now = now_ns()) < end) {
    announce_more(began, now);
    wait_for_events(options.per_second == 0 ? 20 : 0);
  }
  counters.peers = offers;
  if (options.least_peers > 0 && offers < counters.answered * options.least_peers * 0.9) counters.thin = counters.answered;
  for (int i = 0; i < options.window; i++)
    if (connections[i].fd >= 0) close(connections[i].fd);
}
