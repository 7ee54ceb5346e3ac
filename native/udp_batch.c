// Answers datagrams in batches: one recvmmsg, one call into JavaScript and one sendmmsg for up to 64 of them, where Node's dgram
// makes a system call, an event and several objects for each. An optional Node-API addon; src/platform/node/net/udp-batch.ts is
// its other half and knows the layout of the memory that both share:
//
//   heads     64 × 48 bytes     length in | length out | family 4 or 6 | port | ip 16 | own ip 16      32-bit words of this machine
//   packets   64 × 2048 bytes   what came
//   replies   64 × 2048 bytes   what goes back to the same sender
//
// A machine may have many addresses, and a client takes an answer only from the one that it asked: where the socket is bound to all
// of them, each packet comes with the own ip that it was sent to (a mapped IPv4 one, or zeros where it is not known), and its reply
// leaves from there.
#define _GNU_SOURCE
#include "batch_call.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum {
  // What JavaScript checks before it shares memory: the layout and the calls.
  VERSION = 4,
  BATCH = 64,
  SLOT_BYTES = 2048,
  HEAD_WORDS = 12,
  LENGTH_IN = 0,
  LENGTH_OUT = 1,
  FAMILY = 2,
  PORT = 3,
  IP = 4,
  OWN = 8,
  CONTROL_BYTES = 64,
  MEMORY_BYTES = BATCH * (HEAD_WORDS * 4 + 2 * SLOT_BYTES),
  // Batches taken before other work of the event loop has its turn.
  MOST_BATCHES = 4,
  // Holds a burst of thousands of requests while the program is busy.
  SOCKET_BUFFER_BYTES = 4 << 20,
  MAPPED_PREFIX_BYTES = 12,
  // TCP connections that wait to be accepted.
  BACKLOG = 1024,
};

// Where a socket is to be bound.
struct place {
  void *ip;
  size_t ip_length;
  uint32_t port;
  bool is_dual;
  bool is_shared;
};

static const uint8_t MAPPED_PREFIX[MAPPED_PREFIX_BYTES] = {[10] = 0xff, [11] = 0xff};

// One bound socket. Lives until libuv has let go of its watcher.
struct service {
  uv_poll_t poll;
  int fd;
  int family;
  int is_closed;
  struct batch_call call;
  uint32_t *heads;
  uint8_t *packets;
  uint8_t *replies;
  struct sockaddr_storage senders[BATCH];
  struct iovec in_parts[BATCH], out_parts[BATCH];
  struct mmsghdr in[BATCH], out[BATCH];
  // Bound to all addresses: `controls` say which of them packets were sent to.
  int is_for_all;
  union {
    struct cmsghdr head;
    uint8_t bytes[CONTROL_BYTES];
  } controls[BATCH];
};

static void prepare(struct service *s, uint8_t *memory) {
  s->heads = (uint32_t *)memory;
  s->packets = memory + BATCH * HEAD_WORDS * 4;
  s->replies = s->packets + BATCH * SLOT_BYTES;
  for (int i = 0; i < BATCH; i++) {
    s->in_parts[i] = (struct iovec){s->packets + i * SLOT_BYTES, SLOT_BYTES};
    s->in[i].msg_hdr = (struct msghdr){.msg_name = &s->senders[i], .msg_iov = &s->in_parts[i], .msg_iovlen = 1};
  }
}

// Tells JavaScript which of the own addresses a packet was sent to. The reply goes from there, by whatever way the system chooses:
// but for link-local addresses, which mean nothing without an interface.
static void describe_own(struct service *s, int i) {
  uint8_t *own = (uint8_t *)(s->heads + i * HEAD_WORDS + OWN);
  struct cmsghdr *control = s->is_for_all ? CMSG_FIRSTHDR(&s->in[i].msg_hdr) : NULL;
  memset(own, 0, 16);
  if (control == NULL) return;
  if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
    struct in6_pktinfo *info = (struct in6_pktinfo *)CMSG_DATA(control);
    if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr)) info->ipi6_ifindex = 0;
    memcpy(own, &info->ipi6_addr, 16);
  } else if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
    struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(control);
    info->ipi_ifindex = 0;
    memcpy(own, MAPPED_PREFIX, MAPPED_PREFIX_BYTES);
    memcpy(own + MAPPED_PREFIX_BYTES, &info->ipi_spec_dst, 4);
  }
}

// Tells JavaScript who sent a packet. A port of 0 cannot be answered: its length is told as too long, as that of a cut packet is.
static void describe(struct service *s, int i) {
  uint32_t *head = s->heads + i * HEAD_WORDS;
  int is_whole = (s->in[i].msg_hdr.msg_flags & MSG_TRUNC) == 0;
  if (s->senders[i].ss_family == AF_INET) {
    struct sockaddr_in *from = (struct sockaddr_in *)&s->senders[i];
    head[FAMILY] = 4;
    head[PORT] = ntohs(from->sin_port);
    memcpy(head + IP, &from->sin_addr, 4);
  } else {
    struct sockaddr_in6 *from = (struct sockaddr_in6 *)&s->senders[i];
    int is_mapped = memcmp(&from->sin6_addr, MAPPED_PREFIX, MAPPED_PREFIX_BYTES) == 0;
    head[FAMILY] = is_mapped ? 4 : 6;
    head[PORT] = ntohs(from->sin6_port);
    if (is_mapped) memcpy(head + IP, (uint8_t *)&from->sin6_addr + MAPPED_PREFIX_BYTES, 4);
    else memcpy(head + IP, &from->sin6_addr, 16);
  }
  head[LENGTH_IN] = is_whole && head[PORT] != 0 ? s->in[i].msg_len : SLOT_BYTES + 1;
  head[LENGTH_OUT] = 0;
  describe_own(s, i);
}

static int receive(struct service *s) {
  for (int i = 0; i < BATCH; i++) {
    s->in[i].msg_hdr.msg_namelen = sizeof s->senders[i];
    s->in[i].msg_hdr.msg_control = s->is_for_all ? &s->controls[i] : NULL;
    s->in[i].msg_hdr.msg_controllen = s->is_for_all ? CONTROL_BYTES : 0;
  }
  int count = recvmmsg(s->fd, s->in, BATCH, MSG_DONTWAIT, NULL);
  for (int i = 0; i < count; i++) describe(s, i);
  return count;
}

// Sends the replies that JavaScript has written. What the system does not take is lost, as on the wire.
static void reply(struct service *s, int count) {
  int out = 0;
  for (int i = 0; i < count; i++) {
    uint32_t length = s->heads[i * HEAD_WORDS + LENGTH_OUT];
    if (length == 0 || length > SLOT_BYTES) continue;
    s->out_parts[out] = (struct iovec){s->replies + i * SLOT_BYTES, length};
    s->out[out].msg_hdr = (struct msghdr){.msg_name = &s->senders[i],
                                          .msg_namelen = s->in[i].msg_hdr.msg_namelen,
                                          .msg_iov = &s->out_parts[out],
                                          .msg_iovlen = 1,
                                          .msg_control = s->in[i].msg_hdr.msg_control,
                                          .msg_controllen = s->in[i].msg_hdr.msg_controllen};
    out++;
  }
  for (int done = 0; done < out;) {
    int sent = sendmmsg(s->fd, s->out + done, out - done, MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS)) return;
    // An error belongs to the first of them: it is left out.
    done += sent > 0 ? sent : 1;
  }
}

static void on_readable(uv_poll_t *poll, int status, int events) {
  struct service *s = poll->data;
  (void)events;
  if (status < 0) return;
  for (int i = 0; i < MOST_BATCHES; i++) {
    int count = receive(s);
    if (count <= 0 || !call_batch(&s->call, count) || s->is_closed) return;
    reply(s, count);
    if (count < BATCH) return;
  }
}

// ---- opening and closing

static void on_closed(uv_handle_t *poll) {
  struct service *s = poll->data;
  end_calls(&s->call);
  free(s);
}

static void begin_close(struct service *s) {
  if (s->is_closed) return;
  s->is_closed = 1;
  uv_poll_stop(&s->poll);
  close(s->fd);
  uv_close((uv_handle_t *)&s->poll, on_closed);
}

static void on_thread_end(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  begin_close(data);
}

// 0, or the error number. `is_shared`: other threads bind there too, and the system divides what comes.
static int bind_socket(int fd, const uint8_t *ip, size_t ip_length, uint32_t port, int is_dual, int is_shared) {
  int v6_only = !is_dual, on = 1;
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  if (ip_length == 4) memcpy(&v4.sin_addr, ip, 4);
  else memcpy(&v6.sin6_addr, ip, 16);
  if (ip_length == 16 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only) != 0) return errno;
  if (is_shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) return errno;
  int failed = ip_length == 4 ? bind(fd, (struct sockaddr *)&v4, sizeof v4) : bind(fd, (struct sockaddr *)&v6, sizeof v6);
  return failed ? errno : 0;
}

// Whether the socket is bound to all addresses; it then tells which of them a packet was sent to.
static int tells_own(int fd, const struct place *place) {
  static const uint8_t ALL[16] = {0};
  int on = 1;
  if (memcmp(place->ip, ALL, place->ip_length) != 0) return 0;
  return place->ip_length == 4 ? setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) == 0
                               : setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) == 0;
}

static uint32_t bound_port(int fd) {
  struct sockaddr_storage bound;
  socklen_t length = sizeof bound;
  if (getsockname(fd, (struct sockaddr *)&bound, &length) != 0) return 0;
  return ntohs(bound.ss_family == AF_INET ? ((struct sockaddr_in *)&bound)->sin_port : ((struct sockaddr_in6 *)&bound)->sin6_port);
}

// Makes the service of a bound socket; NULL where Node refuses.
static struct service *make_service(napi_env env, int fd, const struct place *place, napi_value memory, uint8_t *bytes, napi_value on_batch) {
  struct service *s = calloc(1, sizeof *s);
  uv_loop_t *loop;
  if (s == NULL) return NULL;
  s->fd = fd;
  s->family = place->ip_length == 4 ? AF_INET : AF_INET6;
  s->is_for_all = tells_own(fd, place);
  s->poll.data = s;
  prepare(s, bytes);
  if (napi_get_uv_event_loop(env, &loop) != napi_ok || uv_poll_init(loop, &s->poll, fd) != 0) {
    free(s);
    return NULL;
  }
  begin_calls(&s->call, env, "SHOALUDP", memory, on_batch, on_thread_end, s);
  uv_poll_start(&s->poll, UV_READABLE, on_readable);
  return s;
}

// Where to bind, from the first four arguments of open and listen. Whether they are of the right kinds.
static bool read_place(napi_env env, napi_value *args, struct place *place) {
  napi_typedarray_type type;
  return napi_get_typedarray_info(env, args[0], &type, &place->ip_length, &place->ip, NULL, NULL) == napi_ok &&
         (place->ip_length == 4 || place->ip_length == 16) && napi_get_value_uint32(env, args[1], &place->port) == napi_ok &&
         napi_get_value_bool(env, args[2], &place->is_dual) == napi_ok &&
         napi_get_value_bool(env, args[3], &place->is_shared) == napi_ok;
}

// A bound socket, or the negated error number.
static int bound_socket(const struct place *place, int type) {
  int fd = socket(place->ip_length == 4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  int on = 1;
  if (type == SOCK_STREAM) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  int error = bind_socket(fd, place->ip, place->ip_length, place->port, place->is_dual, place->is_shared);
  if (error == 0) return fd;
  close(fd);
  return -error;
}

// listen(ip: Uint8Array, port, isDual, isShared): the descriptor of a TCP socket that listens, or a negated error number.
static napi_value listen_at(napi_env env, napi_callback_info info) {
  size_t count = 4;
  napi_value args[4], result;
  struct place place;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (count != 4 || !read_place(env, args, &place)) {
    napi_throw_type_error(env, NULL, "listen(ip, port, isDual, isShared)");
    return NULL;
  }
  int fd = bound_socket(&place, SOCK_STREAM);
  if (fd >= 0 && listen(fd, BACKLOG) != 0) {
    int error = errno;
    close(fd);
    fd = -error;
  }
  napi_create_int32(env, fd, &result);
  return result;
}

// open(ip: Uint8Array, port, isDual, isShared, memory: ArrayBuffer, onBatch: (count) => void): the service, or an error number.
static napi_value open_service(napi_env env, napi_callback_info info) {
  size_t count = 6, memory_length = 0;
  napi_value args[6], result;
  void *memory = NULL;
  struct place place;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (count != 6 || !read_place(env, args, &place) ||
      napi_get_arraybuffer_info(env, args[4], &memory, &memory_length) != napi_ok || memory_length != MEMORY_BYTES) {
    napi_throw_type_error(env, NULL, "open(ip, port, isDual, isShared, memory, onBatch)");
    return NULL;
  }
  int fd = bound_socket(&place, SOCK_DGRAM), error = fd < 0 ? -fd : 0, size = SOCKET_BUFFER_BYTES;
  // Best effort: the system may have a lower limit.
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  struct service *s = error == 0 ? make_service(env, fd, &place, args[4], memory, args[5]) : NULL;
  if (s != NULL) {
    napi_create_external(env, s, NULL, NULL, &result);
    return result;
  }
  if (fd >= 0) close(fd);
  napi_create_int32(env, error == 0 ? ENOMEM : error, &result);
  return result;
}

static struct service *service_of(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value arg;
  void *s = NULL;
  napi_get_cb_info(env, info, &count, &arg, NULL, NULL);
  napi_get_value_external(env, arg, &s);
  return s;
}

// port(service): where it is bound.
static napi_value port_of_service(napi_env env, napi_callback_info info) {
  struct service *s = service_of(env, info);
  napi_value result = NULL;
  if (s != NULL) napi_create_uint32(env, bound_port(s->fd), &result);
  return result;
}

// Has a message leave from `own` (16 bytes, a mapped IPv4 address among them). `room`: CONTROL_BYTES, aligned.
static void leave_from(struct msghdr *message, const uint8_t *own, int family, void *room) {
  int is_v4 = family == AF_INET;
  memset(room, 0, CONTROL_BYTES);
  message->msg_control = room;
  message->msg_controllen = is_v4 ? CMSG_SPACE(sizeof(struct in_pktinfo)) : CMSG_SPACE(sizeof(struct in6_pktinfo));
  struct cmsghdr *control = CMSG_FIRSTHDR(message);
  control->cmsg_level = is_v4 ? IPPROTO_IP : IPPROTO_IPV6;
  control->cmsg_type = is_v4 ? IP_PKTINFO : IPV6_PKTINFO;
  control->cmsg_len = is_v4 ? CMSG_LEN(sizeof(struct in_pktinfo)) : CMSG_LEN(sizeof(struct in6_pktinfo));
  if (is_v4) memcpy(&((struct in_pktinfo *)CMSG_DATA(control))->ipi_spec_dst, own + MAPPED_PREFIX_BYTES, 4);
  else memcpy(&((struct in6_pktinfo *)CMSG_DATA(control))->ipi6_addr, own, 16);
}

// send(service, bytes: Uint8Array, ip: Uint8Array, port, own: Uint8Array): one datagram, from the own ip as it stands in a head.
// What the system does not take is lost, as on the wire.
static napi_value send_one(napi_env env, napi_callback_info info) {
  size_t count = 5, length, ip_length, own_length;
  napi_value args[5];
  napi_typedarray_type type;
  void *service = NULL, *bytes, *ip, *own;
  uint32_t port;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (count != 5 || napi_get_value_external(env, args[0], &service) != napi_ok ||
      napi_get_typedarray_info(env, args[1], &type, &length, &bytes, NULL, NULL) != napi_ok ||
      napi_get_typedarray_info(env, args[2], &type, &ip_length, &ip, NULL, NULL) != napi_ok ||
      (ip_length != 4 && ip_length != 16) || napi_get_value_uint32(env, args[3], &port) != napi_ok ||
      napi_get_typedarray_info(env, args[4], &type, &own_length, &own, NULL, NULL) != napi_ok || own_length != 16) {
    napi_throw_type_error(env, NULL, "send(service, bytes, ip, port, own)");
    return NULL;
  }
  struct service *s = service;
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  struct iovec part = {bytes, length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  union {
    struct cmsghdr head;
    uint8_t bytes[CONTROL_BYTES];
  } control;
  static const uint8_t UNKNOWN[16] = {0};
  if (s->family == AF_INET) {
    if (ip_length != 4) return NULL;
    memcpy(&v4.sin_addr, ip, 4);
    message.msg_name = &v4;
    message.msg_namelen = sizeof v4;
  } else {
    if (ip_length == 4) memcpy(&v6.sin6_addr, MAPPED_PREFIX, MAPPED_PREFIX_BYTES);
    memcpy((uint8_t *)&v6.sin6_addr + (16 - ip_length), ip, ip_length);
    message.msg_name = &v6;
    message.msg_namelen = sizeof v6;
  }
  if (memcmp(own, UNKNOWN, 16) != 0) leave_from(&message, own, s->family, &control);
  sendmsg(s->fd, &message, MSG_DONTWAIT);
  return NULL;
}

// close(service): to be called once, and nothing after it; the port is free at once.
static napi_value close_service(napi_env env, napi_callback_info info) {
  struct service *s = service_of(env, info);
  if (s != NULL) begin_close(s);
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value version;
  napi_property_descriptor calls[] = {
      {"listen", NULL, listen_at, NULL, NULL, NULL, napi_enumerable, NULL},
      {"open", NULL, open_service, NULL, NULL, NULL, napi_enumerable, NULL},
      {"port", NULL, port_of_service, NULL, NULL, NULL, napi_enumerable, NULL},
      {"send", NULL, send_one, NULL, NULL, NULL, napi_enumerable, NULL},
      {"close", NULL, close_service, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_create_int32(env, VERSION, &version);
  napi_set_named_property(env, exports, "version", version);
  napi_define_properties(env, exports, sizeof calls / sizeof *calls, calls);
  return exports;
}
