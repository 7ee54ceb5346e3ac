// announce udp|http|ws ADDRESS PORT [OPTIONS]: announces to a tracker from many peers and prints one line of JSON. One thread, epoll, batches of
// datagrams: it has to cost less than any tracker that it measures. Linux only. For the options see usage().
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HISTOGRAM_US = 1000000, MAX_WINDOW = 65536, PORTS = 64000, FIRST_PORT = 1024 };

struct options options = {
    .torrents = 10000,
    .peers_per_torrent = 50,
    .numwant = 50,
    .seconds = 5,
    .window = 128,
    .sources = 250,
    // Clients ask again after 15 s, but a tracker on the same machine has no excuse.
    .patience_ns = 1000000000,
};
struct counters counters;

// Answers by their latency in whole microseconds; the last one has all that took longer.
static uint32_t histogram[HISTOGRAM_US];
static uint64_t next_to_fill;
static uint64_t random_state = 88172645463325252ULL;

int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static uint64_t total_peers(void) { return options.torrents * options.peers_per_torrent; }

// xorshift64: the same peers in the same order in every run.
static uint64_t random_number(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  return random_state ^= random_state << 17;
}

uint64_t next_peer(void) { return options.is_fill ? next_to_fill++ : random_number() % total_peers(); }

int is_filled(void) { return options.is_fill && next_to_fill >= total_peers(); }

int64_t allowance(int64_t began_ns, int64_t now) {
  if (options.per_second == 0) return INT64_MAX;
  return (int64_t)((now - began_ns) * options.per_second / 1e9) + 1 - (int64_t)counters.sent;
}

int64_t due_ns(int64_t began_ns, uint64_t nth) { return began_ns + (int64_t)(nth * 1e9 / options.per_second); }

void note_answer(int64_t latency_ns, uint64_t peers) {
  int64_t us = latency_ns / 1000;
  histogram[us < HISTOGRAM_US ? us : HISTOGRAM_US - 1]++;
  counters.answered++;
  counters.peers += peers;
  if ((int)peers < options.least_peers) counters.thin++;
}

uint64_t torrent_of(uint64_t peer) { return peer / options.peers_per_torrent; }
uint32_t source_of(uint64_t peer) { return peer % options.sources; }
uint16_t port_of(uint64_t peer) { return FIRST_PORT + peer / options.sources % PORTS; }

// 127.1.0.1 and up, 250 in each /24: all of 127.0.0.0/8 is there without set-up.
struct in_addr source_address(uint32_t source) {
  return (struct in_addr){htonl(0x7f010001u + source / 250 * 256 + source % 250)};
}

void put_u16(uint8_t *out, uint16_t value) {
  value = htons(value);
  memcpy(out, &value, sizeof value);
}

void put_u32(uint8_t *out, uint32_t value) {
  value = htonl(value);
  memcpy(out, &value, sizeof value);
}

uint32_t get_u32(const uint8_t *in) {
  uint32_t value;
  memcpy(&value, in, sizeof value);
  return ntohl(value);
}

// The torrent's number and then the same for all: a tracker that goes by the first bytes alone gains nothing.
void put_info_hash(uint8_t *out, uint64_t torrent) {
  put_u32(out, (uint32_t)torrent * 2654435761u);
  put_u32(out + 4, (uint32_t)torrent);
  memcpy(out + 8, "tracker-load", 12);
}

void put_peer_id(uint8_t *out, uint64_t peer) {
  static const char hex[] = "0123456789abcdef";
  memcpy(out, "-XX0001-", 8);
  for (int i = 0; i < 12; i++) out[8 + i] = hex[peer >> (4 * (11 - i)) & 15];
}

void fail(const char *what) {
  perror(what);
  exit(1);
}

static double percentile_ms(double part) {
  uint64_t wanted = counters.answered * part, seen = 0;
  for (int us = 0; us < HISTOGRAM_US; us++) {
    seen += histogram[us];
    if (seen > wanted) return us / 1000.0;
  }
  return HISTOGRAM_US / 1000.0;
}

static void report(double seconds, double core) {
  double answered = counters.answered;
  printf("{\"seconds\":%.3f,\"sent\":%llu,\"answered\":%llu,\"lost\":%llu,\"refused\":%llu,\"broken\":%llu,\"thin\":%llu,", seconds,
         (unsigned long long)counters.sent, (unsigned long long)counters.answered, (unsigned long long)counters.lost,
         (unsigned long long)counters.refused, (unsigned long long)counters.broken, (unsigned long long)counters.thin);
  printf("\"perSecond\":%.1f,\"p50Ms\":%.3f,\"p99Ms\":%.3f,\"peersPerReply\":%.1f,\"core\":%.3f}\n", answered / seconds,
         percentile_ms(0.5), percentile_ms(0.99), answered > 0 ? counters.peers / answered : 0, core);
}

static void usage(void) {
  fputs("announce udp|http|ws ADDRESS PORT [OPTIONS]\n"
        "  -t N  torrents                          -p N  peers of each\n"
        "  -n N  peers wanted, offers (numwant)    -m N  a reply with fewer is thin\n"
        "  -d S  seconds at most                   -r N  announces a second (default: as fast as replies come)\n"
        "  -w N  announces under way, connections  -s N  addresses that the peers have\n"
        "  -f    every peer announces once         -c    HTTP: a connection for each announce\n"
        "  -l S  UDP, HTTP: a reply that takes longer is lost (default: 1)\n"
        "  -y    UDP: leaves its core to others while it has nothing to do\n",
        stderr);
  exit(2);
}

// A further protocol is a line here and a file.
static const struct {
  const char *name;
  void (*run)(void);
} PROTOCOLS[] = {{"udp", run_udp}, {"http", run_http}, {"ws", run_ws}};

static void (*protocol_named(const char *name))(void) {
  for (size_t i = 0; i < sizeof PROTOCOLS / sizeof *PROTOCOLS; i++)
    if (strcmp(PROTOCOLS[i].name, name) == 0) return PROTOCOLS[i].run;
  return NULL;
}

static void read_options(int argc, char **argv) {
  for (int letter; (letter = getopt(argc, argv, "t:p:n:m:d:r:w:s:l:fcy")) != -1;) {
    switch (letter) {
      case 't': options.torrents = strtoull(optarg, NULL, 10); break;
      case 'p': options.peers_per_torrent = strtoull(optarg, NULL, 10); break;
      case 'n': options.numwant = atoi(optarg); break;
      case 'm': options.least_peers = atoi(optarg); break;
      case 'd': options.seconds = atof(optarg); break;
      case 'r': options.per_second = atof(optarg); break;
      case 'w': options.window = atoi(optarg); break;
      case 's': options.sources = atoi(optarg); break;
      case 'l': options.patience_ns = (int64_t)(atof(optarg) * 1e9); break;
      case 'f': options.is_fill = 1; break;
      case 'c': options.is_closing = 1; break;
      case 'y': options.is_sharing = 1; break;
      default: usage();
    }
  }
  if (options.window < 1 || options.window > MAX_WINDOW || options.sources < 1 || total_peers() < 1) usage();
}

int main(int argc, char **argv) {
  void (*run)(void) = argc < 4 ? NULL : protocol_named(argv[1]);
  if (run == NULL) usage();
  options.tracker.sin_family = AF_INET;
  options.tracker.sin_port = htons(atoi(argv[3]));
  if (inet_pton(AF_INET, argv[2], &options.tracker.sin_addr) != 1) usage();
  read_options(argc - 3, argv + 3);
  int64_t began = now_ns();
  run();
  double seconds = (now_ns() - began) / 1e9;
  struct timespec cpu;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  report(seconds, (cpu.tv_sec + cpu.tv_nsec / 1e9) / seconds);
  return 0;
}
