// Serves many short TCP connections: accepting, reading and closing go round in one epoll of our own, and JavaScript is called once
// for up to 64 things that happened, where Node's net makes a stream, a dozen objects and several events for every connection. An
// optional Node-API addon; src/platform/node/net/tcp-batch.ts is its other half and knows the layout of the memory that both share:
//
//   heads     64 × 32 bytes       kind | connection | length or error | family, port | ip 16      32-bit words of this machine
//   chunks    64 × 16384 bytes    what was read
//
// A connection is a number, which is used again once it is closed.
#include "tcp_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

// What JavaScript checks before it shares memory: the layout and the calls.
enum { VERSION = 1 };

static struct server *server_of(napi_env env, napi_value handle) {
  void *s = NULL;
  napi_get_value_external(env, handle, &s);
  return s;
}

// open(descriptor, memory: ArrayBuffer, onBatch: (count) => void): the server of a listening socket, which is its own from now on; null where Node
// or the system refuses, and then the socket is closed.
static napi_value open_call(napi_env env, napi_callback_info info) {
  size_t count = 3, memory_length = 0;
  napi_value args[3], result = NULL;
  void *memory = NULL;
  int listener = -1;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (count != 3 || napi_get_value_int32(env, args[0], &listener) != napi_ok ||
      napi_get_arraybuffer_info(env, args[1], &memory, &memory_length) != napi_ok || memory_length != MEMORY_BYTES) {
    napi_throw_type_error(env, NULL, "open(descriptor, memory, onBatch)");
    return NULL;
  }
  struct server *s = open_server(env, listener, args[1], memory, args[2]);
  if (s == NULL) napi_get_null(env, &result);
  else napi_create_external(env, s, NULL, NULL, &result);
  return result;
}

// ---- what JavaScript does with a connection

// Reads server and number; the server, or NULL where the connection is closed.
static struct server *connection_of(napi_env env, napi_callback_info info, size_t count, napi_value *args, int *number) {
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  struct server *s = server_of(env, args[0]);
  napi_get_value_int32(env, args[1], number);
  return s == NULL || fd_of(s, *number) < 0 ? NULL : s;
}

// write(server, connection, bytes: Uint8Array): how many bytes the system took, or a negated error number.
static napi_value write_bytes(napi_env env, napi_callback_info info) {
  napi_value args[3], result;
  int number = -1, taken = -EPIPE;
  struct server *s = connection_of(env, info, 3, args, &number);
  void *bytes = NULL;
  size_t length = 0;
  if (s != NULL && napi_get_typedarray_info(env, args[2], NULL, &length, &bytes, NULL, NULL) == napi_ok) {
    ssize_t sent = length == 0 ? 0 : send(s->table[number], bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    taken = sent >= 0 ? (int)sent : errno == EAGAIN || errno == EINTR ? 0 : -errno;
  }
  napi_create_int32(env, taken, &result);
  return result;
}

// watch(server, connection, isReading, isWriting): what is told of the connection from now on.
static napi_value watch(napi_env env, napi_callback_info info) {
  napi_value args[4];
  int number = -1;
  bool is_reading = true, is_writing = false;
  struct server *s = connection_of(env, info, 4, args, &number);
  if (s == NULL) return NULL;
  napi_get_value_bool(env, args[2], &is_reading);
  napi_get_value_bool(env, args[3], &is_writing);
  struct epoll_event event = {.events = (is_reading ? EPOLLIN : 0) | (is_writing ? EPOLLOUT : 0), .data.u32 = number};
  epoll_ctl(s->epoll, EPOLL_CTL_MOD, s->table[number], &event);
  return NULL;
}

// end(server, connection): nothing more is sent.
static napi_value end_sending(napi_env env, napi_callback_info info) {
  napi_value args[2];
  int number = -1;
  struct server *s = connection_of(env, info, 2, args, &number);
  if (s != NULL) shutdown(s->table[number], SHUT_WR);
  return NULL;
}

// close(server, connection): at once; its number is another's from the next batch on. The last one of a server that has stopped is its end: no
// call after that.
static napi_value close_one(napi_env env, napi_callback_info info) {
  napi_value args[2];
  int number = -1;
  struct server *s = connection_of(env, info, 2, args, &number);
  if (s != NULL) close_connection(s, number);
  return NULL;
}

// local(server, connection or -1: the listener, into: Uint8Array of 18): the own address, its length and then the port in `into`.
static napi_value local_address(napi_env env, napi_callback_info info) {
  napi_value args[3], result;
  int number = -1;
  void *into = NULL;
  size_t count = 3, room = 0;
  struct sockaddr_storage own;
  socklen_t length = sizeof own;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  struct server *s = server_of(env, args[0]);
  napi_get_value_int32(env, args[1], &number);
  napi_get_typedarray_info(env, args[2], NULL, &room, &into, NULL, NULL);
  int fd = s == NULL ? -1 : number < 0 ? s->listener : fd_of(s, number), ip_length = 0;
  if (room == 18 && getsockname(fd, (struct sockaddr *)&own, &length) == 0) {
    ip_length = own.ss_family == AF_INET ? 4 : 16;
    const struct sockaddr_in *v4 = (struct sockaddr_in *)&own;
    const struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&own;
    memcpy(into, ip_length == 4 ? (const void *)&v4->sin_addr : (const void *)&v6->sin6_addr, ip_length);
    memcpy((uint8_t *)into + 16, ip_length == 4 ? &v4->sin_port : &v6->sin6_port, 2);
  }
  napi_create_int32(env, ip_length, &result);
  return result;
}

// stop(server): accepts no more, and the port is free; what was accepted lives on.
static napi_value stop(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value arg;
  napi_get_cb_info(env, info, &count, &arg, NULL, NULL);
  struct server *s = server_of(env, arg);
  if (s != NULL) stop_accepting(s);
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value version;
  const struct {
    const char *name;
    napi_callback call;
  } calls[] = {{"open", open_call}, {"write", write_bytes}, {"watch", watch},         {"end", end_sending},
               {"close", close_one},  {"local", local_address}, {"stop", stop}};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    napi_value call;
    napi_create_function(env, calls[i].name, NAPI_AUTO_LENGTH, calls[i].call, NULL, &call);
    napi_set_named_property(env, exports, calls[i].name, call);
  }
  napi_create_int32(env, VERSION, &version);
  napi_set_named_property(env, exports, "version", version);
  return exports;
}
