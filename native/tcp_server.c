// Accepts, reads and tells JavaScript of up to 64 things in one call. What is told stands in shared memory; tcp_batch.c has the layout.
#define _GNU_SOURCE
#include "tcp_server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  KIND = 0,
  CONNECTION = 1,
  LENGTH = 2,
  FAMILY_AND_PORT = 3,
  IP = 4,
  ACCEPTED = 0,
  CHUNK = 1,
  END = 2,
  FAILED = 3,
  WRITABLE = 4,
  // Batches taken before other work of the event loop has its turn.
  MOST_BATCHES = 4,
  MAPPED_PREFIX_BYTES = 12,
  // In an epoll event, where connections have their number.
  LISTENER = 0x7fffffff,
};

static const uint8_t MAPPED_PREFIX[MAPPED_PREFIX_BYTES] = {[10] = 0xff, [11] = 0xff};

// ---- the table

static int add_connection(struct server *s, int fd) {
  if (s->free_first == s->room) {
    int room = s->room * 2;
    int *table = realloc(s->table, room * sizeof *table);
    if (table == NULL) return -1;
    for (int i = s->room; i < room; i++) table[i] = -2 - i;
    s->table = table;
    s->room = room;
  }
  int number = s->free_first;
  s->free_first = -1 - s->table[number];
  s->table[number] = fd;
  s->open_count++;
  return number;
}

int fd_of(const struct server *s, int number) { return number >= 0 && number < s->room ? s->table[number] : -1; }

static void begin_end(struct server *s);

void close_connection(struct server *s, int number) {
  if (fd_of(s, number) < 0) return;
  close(s->table[number]);
  s->open_count--;
  s->table[number] = -1 - s->free_first;
  s->free_first = number;
  if (s->open_count == 0 && s->listener < 0 && !s->in_batch) begin_end(s);
}

// ---- what happens

static uint32_t *add_event(struct server *s, int count, uint32_t kind, int number, uint32_t length) {
  uint32_t *head = s->heads + count * HEAD_WORDS;
  head[KIND] = kind;
  head[CONNECTION] = number;
  head[LENGTH] = length;
  return head;
}

static void describe(uint32_t *head, const struct sockaddr_storage *peer) {
  if (peer->ss_family == AF_INET) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)peer;
    head[FAMILY_AND_PORT] = 4u << 16 | ntohs(v4->sin_port);
    memcpy(head + IP, &v4->sin_addr, 4);
    return;
  }
  const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)peer;
  int is_mapped = memcmp(&v6->sin6_addr, MAPPED_PREFIX, MAPPED_PREFIX_BYTES) == 0;
  head[FAMILY_AND_PORT] = (is_mapped ? 4u : 6u) << 16 | ntohs(v6->sin6_port);
  if (is_mapped) memcpy(head + IP, (const uint8_t *)&v6->sin6_addr + MAPPED_PREFIX_BYTES, 4);
  else memcpy(head + IP, &v6->sin6_addr, 16);
}

// No descriptor is left: connections are taken with the spare one and closed, or they would be told again and again.
static void turn_away(struct server *s) {
  close(s->spare);
  for (int i = 0; i < BATCH; i++) {
    int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) break;
    close(fd);
  }
  s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

// Accepts while there is room in the batch; returns its new length.
static int accept_some(struct server *s, int count) {
  while (count < BATCH) {
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    int fd = accept4(s->listener, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE) turn_away(s);
      return count;
    }
    int number = add_connection(s, fd);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
    if (number < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
      if (number >= 0) close_connection(s, number);
      else close(fd);
      continue;
    }
    describe(add_event(s, count++, ACCEPTED, number, 0), &peer);
  }
  return count;
}

// `has_error`: the system tells an error of it. Behind an end that was read nothing else tells that the connection was reset.
static int read_some(struct server *s, int count, int number, int has_error) {
  int fd = s->table[number], error = 0;
  socklen_t size = sizeof error;
  ssize_t length = recv(fd, s->chunks + count * CHUNK_BYTES, CHUNK_BYTES, 0);
  if (length < 0) error = errno;
  else if (length == 0 && has_error) getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (length > 0) add_event(s, count++, CHUNK, number, length);
  else if (error == 0) add_event(s, count++, END, number, 0);
  else if (error != EAGAIN && error != EINTR) add_event(s, count++, FAILED, number, error);
  return count;
}

static int collect(struct server *s) {
  struct epoll_event events[BATCH];
  // An event may become two: chunk and room to write.
  int count = 0, ready = epoll_wait(s->epoll, events, BATCH / 2, 0);
  int is_accepting = 0;
  for (int i = 0; i < ready; i++) {
    uint32_t number = events[i].data.u32;
    if (number == LISTENER) {
      is_accepting = 1;
      continue;
    }
    // Closed, and told none the less: a process that is just being started still has the descriptor.
    if (fd_of(s, number) < 0) continue;
    if ((events[i].events & EPOLLOUT) != 0) add_event(s, count++, WRITABLE, number, 0);
    if ((events[i].events & ~EPOLLOUT) != 0) count = read_some(s, count, number, (events[i].events & EPOLLERR) != 0);
  }
  return is_accepting && s->listener >= 0 ? accept_some(s, count) : count;
}

static void on_ready(uv_poll_t *poll, int status, int events) {
  struct server *s = poll->data;
  (void)events;
  if (status < 0) return;
  for (int i = 0, count = BATCH; i < MOST_BATCHES && count >= BATCH / 2 && !s->is_ending; i++) {
    s->in_batch = 1;
    count = collect(s);
    int done = count == 0 || call_batch(&s->call, count);
    s->in_batch = 0;
    if (s->open_count == 0 && s->listener < 0) begin_end(s);
    if (!done) return;
  }
}

// ---- opening and closing

static void on_end(uv_handle_t *poll) {
  struct server *s = poll->data;
  end_calls(&s->call);
  free(s->table);
  free(s);
}

static void begin_end(struct server *s) {
  if (s->is_ending) return;
  s->is_ending = 1;
  uv_poll_stop(&s->poll);
  close(s->epoll);
  close(s->spare);
  uv_close((uv_handle_t *)&s->poll, on_end);
}

void stop_accepting(struct server *s) {
  if (s->listener >= 0) close(s->listener);
  s->listener = -1;
  if (s->open_count == 0 && !s->in_batch) begin_end(s);
}

static void on_thread_end(napi_async_cleanup_hook_handle hook, void *data) {
  struct server *s = data;
  (void)hook;
  stop_accepting(s);
  for (int i = 0; i < s->room; i++)
    if (s->table[i] >= 0) close(s->table[i]);
  begin_end(s);
}

static int prepare(struct server *s, uint8_t *memory) {
  int on = 1;
  s->heads = (uint32_t *)memory;
  s->chunks = memory + BATCH * HEAD_WORDS * 4;
  s->room = BATCH;
  s->table = malloc(s->room * sizeof *s->table);
  s->epoll = epoll_create1(EPOLL_CLOEXEC);
  s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (s->table == NULL || s->epoll < 0) return 0;
  for (int i = 0; i < s->room; i++) s->table[i] = -2 - i;
  // What is accepted inherits it.
  setsockopt(s->listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = LISTENER};
  return epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &event) == 0;
}

struct server *open_server(napi_env env, int listener, napi_value memory, uint8_t *bytes, napi_value on_batch) {
  uv_loop_t *loop;
  struct server *s = calloc(1, sizeof *s);
  if (s == NULL) return NULL;
  s->listener = listener;
  s->poll.data = s;
  if (!prepare(s, bytes) || napi_get_uv_event_loop(env, &loop) != napi_ok || uv_poll_init(loop, &s->poll, s->epoll) != 0) {
    close(listener);
    close(s->epoll);
    close(s->spare);
    free(s->table);
    free(s);
    return NULL;
  }
  begin_calls(&s->call, env, "SHOALTCP", memory, on_batch, on_thread_end, s);
  uv_poll_start(&s->poll, UV_READABLE, on_ready);
  return s;
}
