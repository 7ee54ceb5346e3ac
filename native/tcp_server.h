// A listening socket and what it accepted, as one epoll in the event loop of Node; see tcp_batch.c.
#ifndef TCP_SERVER_H
#define TCP_SERVER_H

#include "batch_call.h"

#include <uv.h>

enum {
  BATCH = 64,
  CHUNK_BYTES = 16384,
  HEAD_WORDS = 8,
  MEMORY_BYTES = BATCH * (HEAD_WORDS * 4 + CHUNK_BYTES),
};

// Lives until its sockets are closed and libuv has let go of its watcher.
struct server {
  uv_poll_t poll;
  int epoll;
  int listener;  // -1: it accepts no more
  int spare;     // given up for a moment where there are no descriptors left, to turn a connection away
  int is_ending;
  int in_batch;
  // Descriptors of connections by number; -1 - n: free, n is the next free one.
  int *table;
  int room, free_first, open_count;
  struct batch_call call;
  uint32_t *heads;
  uint8_t *chunks;
};

// The server of a listening socket, which is its own from now on; NULL where Node or the system refuses, and then the socket is closed.
struct server *open_server(napi_env env, int listener, napi_value memory, uint8_t *bytes, napi_value on_batch);

// Accepts no more. The last socket closed is the end of the server.
void stop_accepting(struct server *s);

// -1 or less where there is no such connection.
int fd_of(const struct server *s, int number);

// The number is free at once: JavaScript has seen all of a batch before the next connection is accepted.
void close_connection(struct server *s, int number);

#endif
