// Announces over UDP (BEP 15). One socket sends for all addresses (IP_PKTINFO), so that a system call takes a whole batch whatever
// peers are in it.
#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  BATCH = 64,
  CONNECT_BYTES = 16,
  ANNOUNCE_BYTES = 98,
  REPLY_HEAD_BYTES = 20,
  ROOM = 2048,
  SOCKET_BUFFER_BYTES = 8 << 20,
  NAP_NS = 100000,
};

// A bit of a transaction id, so that none is that of a connect.
static const uint32_t ANNOUNCE_BIT = 0x80000000u;

// An announce under way; its transaction id names the slot and how often it was used.
struct slot {
  int64_t since_ns;
  uint16_t use;
  uint8_t is_busy;
};

static int fd;
static struct slot *slots;
static int *free_slots, free_count;
static uint64_t *connection_ids;

static uint8_t requests[BATCH][ANNOUNCE_BYTES], replies[BATCH][ROOM];
static uint8_t controls[BATCH][CMSG_SPACE(sizeof(struct in_pktinfo))];
static struct iovec request_parts[BATCH], reply_parts[BATCH];
static struct mmsghdr request_heads[BATCH], reply_heads[BATCH];

static void prepare(void) {
  for (int i = 0; i < BATCH; i++) {
    request_parts[i] = (struct iovec){requests[i], ANNOUNCE_BYTES};
    request_heads[i].msg_hdr = (struct msghdr){.msg_name = &options.tracker,
                                               .msg_namelen = sizeof options.tracker,
                                               .msg_iov = &request_parts[i],
                                               .msg_iovlen = 1,
                                               .msg_control = controls[i],
                                               .msg_controllen = sizeof controls[i]};
    struct cmsghdr *control = CMSG_FIRSTHDR(&request_heads[i].msg_hdr);
    control->cmsg_level = IPPROTO_IP;
    control->cmsg_type = IP_PKTINFO;
    control->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    reply_parts[i] = (struct iovec){replies[i], ROOM};
    reply_heads[i].msg_hdr = (struct msghdr){.msg_iov = &reply_parts[i], .msg_iovlen = 1};
  }
}

static void set_source(int i, uint32_t source) {
  struct in_pktinfo info = {.ipi_spec_dst = source_address(source)};
  memcpy(CMSG_DATA(CMSG_FIRSTHDR(&request_heads[i].msg_hdr)), &info, sizeof info);
}

static void open_socket(void) {
  struct sockaddr_in any = {.sin_family = AF_INET};
  int size = SOCKET_BUFFER_BYTES;
  fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof any) != 0) fail("socket");
  // Without the right to force it the system's limit stays, which a window of some hundreds does not reach.
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
}

static int wait_readable(int timeout_ms) {
  struct pollfd one = {.fd = fd, .events = POLLIN};
  return poll(&one, 1, timeout_ms) > 0;
}

// Until there is something to read, or a tenth of a millisecond.
static void nap(void) {
  struct pollfd one = {.fd = fd, .events = POLLIN};
  struct timespec while_ns = {.tv_nsec = NAP_NS};
  ppoll(&one, 1, &while_ns, NULL);
}

static void ask_for_id(uint32_t source) {
  put_u32(requests[0], 0x417);
  put_u32(requests[0] + 4, 0x27101980);
  put_u32(requests[0] + 8, 0);
  put_u32(requests[0] + 12, source);
  request_parts[0].iov_len = CONNECT_BYTES;
  set_source(0, source);
  if (sendmmsg(fd, request_heads, 1, 0) != 1) fail("connect");
  request_parts[0].iov_len = ANNOUNCE_BYTES;
}

// A connection id for every address. A tracker that gives none has all the time there is.
static void connect_sources(void) {
  connection_ids = calloc(options.sources, sizeof *connection_ids);
  for (uint32_t source = 0; source < options.sources; source++) {
    for (int tries = 0;; tries++) {
      if (tries == 20) {
        fputs("no answer to a connect\n", stderr);
        exit(1);
      }
      ask_for_id(source);
      if (!wait_readable(200)) continue;
      ssize_t length = recv(fd, replies[0], ROOM, 0);
      if (length < CONNECT_BYTES || get_u32(replies[0]) != 0 || get_u32(replies[0] + 4) != source) continue;
      memcpy(&connection_ids[source], replies[0] + 8, sizeof *connection_ids);
      break;
    }
  }
}

static void write_announce(int i, int slot, uint64_t peer) {
  uint8_t *out = requests[i];
  memcpy(out, &connection_ids[source_of(peer)], 8);
  put_u32(out + 8, 1);
  put_u32(out + 12, ANNOUNCE_BIT | (uint32_t)(slots[slot].use & 0x7fff) << 16 | slot);
  put_info_hash(out + 16, torrent_of(peer));
  put_peer_id(out + 36, peer);
  memset(out + 56, 0, 40);
  out[71] = 1;                             // left
  put_u32(out + 80, options.is_fill ? 2 : 0);  // started
  put_u32(out + 88, (uint32_t)peer);       // key
  put_u32(out + 92, options.numwant);
  put_u16(out + 96, port_of(peer));
  set_source(i, source_of(peer));
}

// Sends what may be sent, a batch at most; returns how many that were.
static int send_batch(int64_t began) {
  int64_t now = now_ns(), most = allowance(began, now);
  int count = 0;
  for (; count < BATCH && count < most && free_count > 0 && !is_filled(); count++) {
    int slot = free_slots[--free_count];
    write_announce(count, slot, next_peer());
    // At a set rate the time counts from when it was due, or a slow tracker would be asked less often and look better.
    slots[slot].since_ns = options.per_second > 0 ? due_ns(began, counters.sent + count) : now;
    slots[slot].is_busy = 1;
  }
  for (int done = 0; done < count;) {
    int sent = sendmmsg(fd, request_heads + done, count - done, 0);
    if (sent < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS) fail("sendmmsg");
    if (sent > 0) done += sent;
  }
  counters.sent += count;
  return count;
}

static void release(int slot) {
  slots[slot].is_busy = 0;
  slots[slot].use++;
  free_slots[free_count++] = slot;
}

static void take_reply(const uint8_t *reply, uint32_t length, int64_t now) {
  if (length < 8) {
    counters.broken++;
    return;
  }
  uint32_t id = get_u32(reply + 4), slot = id & 0xffff;
  int is_ours = (id & ANNOUNCE_BIT) != 0 && slot < (uint32_t)options.window && slots[slot].is_busy &&
                (slots[slot].use & 0x7fff) == (id >> 16 & 0x7fff);
  // Lost and late, or nobody's.
  if (!is_ours) return;
  if (get_u32(reply) == 3) {
    if (counters.refused++ == 0) fprintf(stderr, "refused: %.*s\n", (int)length - 8, reply + 8);
  } else if (get_u32(reply) != 1 || length < REPLY_HEAD_BYTES || (length - REPLY_HEAD_BYTES) % COMPACT_PEER_BYTES != 0) {
    counters.broken++;
  } else {
    note_answer(now - slots[slot].since_ns, (length - REPLY_HEAD_BYTES) / COMPACT_PEER_BYTES);
  }
  release(slot);
}

// Takes a batch of replies; returns how many there were.
static int receive_batch(void) {
  int count = recvmmsg(fd, reply_heads, BATCH, 0, NULL);
  if (count <= 0) return 0;
  int64_t now = now_ns();
  for (int i = 0; i < count; i++) take_reply(replies[i], reply_heads[i].msg_len, now);
  return count;
}

static void give_up_lost(int64_t now) {
  for (int slot = 0; slot < options.window; slot++) {
    if (!slots[slot].is_busy || now - slots[slot].since_ns < options.patience_ns) continue;
    counters.lost++;
    release(slot);
  }
}

void run_udp(void) {
  open_socket();
  prepare();
  connect_sources();
  slots = calloc(options.window, sizeof *slots);
  free_slots = calloc(options.window, sizeof *free_slots);
  for (int slot = options.window - 1; slot >= 0; slot--) free_slots[free_count++] = slot;
  int64_t began = now_ns(), end = began + (int64_t)(options.seconds * 1e9), looked = began, now;
  while ((now = now_ns()) < end && !(is_filled() && free_count == options.window)) {
    int moved = send_batch(began);
    moved += receive_batch();
    if (now - looked > options.patience_ns / 4) {
      looked = now;
      give_up_lost(now);
    }
    // At a set rate it looks again at once: sleeping would make the latency its own.
    if (moved == 0 && options.per_second == 0) wait_readable(20);
    else if (moved == 0 && options.is_sharing) nap();
  }
  close(fd);
}
