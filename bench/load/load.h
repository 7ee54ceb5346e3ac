// What the parts of the load generator share: options, counters, clock, chance, and who the peers are.
#ifndef LOAD_H
#define LOAD_H

#include <netinet/in.h>
#include <stdint.h>

enum { ID_BYTES = 20, COMPACT_PEER_BYTES = 6 };

struct options {
  struct sockaddr_in tracker;
  uint64_t torrents;
  uint64_t peers_per_torrent;
  int numwant;
  int least_peers;    // a reply with fewer is thin
  double seconds;
  double per_second;  // 0: as fast as the replies come
  int window;         // announces under way, or connections
  int is_fill;        // every peer announces once, then it is over
  int is_closing;     // HTTP: a connection for every announce
  int is_sharing;     // UDP: it leaves its core to others while it has nothing to do
  uint32_t sources;   // addresses that the peers come from
  int64_t patience_ns; // UDP, HTTP: a reply that takes longer is lost
};

struct counters {
  uint64_t sent, answered, lost, refused, broken, thin, peers;
};

extern struct options options;
extern struct counters counters;

int64_t now_ns(void);

// Notes the latency of a good reply and how many peers it had.
void note_answer(int64_t latency_ns, uint64_t peers);

// The number of the peer that announces next: each in turn where it is a fill, else any.
uint64_t next_peer(void);
int is_filled(void);

// How many more announces may be sent by now; at a set rate `due_ns` of the n-th tells when it should have left.
int64_t allowance(int64_t began_ns, int64_t now);
int64_t due_ns(int64_t began_ns, uint64_t nth);

// Peer k is in torrent k / peers_per_torrent, at address number k % sources, with a port of its own.
uint64_t torrent_of(uint64_t peer);
uint32_t source_of(uint64_t peer);
uint16_t port_of(uint64_t peer);
struct in_addr source_address(uint32_t source);
void put_info_hash(uint8_t *out, uint64_t torrent);
void put_peer_id(uint8_t *out, uint64_t peer);
void put_u16(uint8_t *out, uint16_t value);
void put_u32(uint8_t *out, uint32_t value);
uint32_t get_u32(const uint8_t *in);

// Ends the program with what the system says.
void fail(const char *what);

// The protocols; each runs until the time is up or the fill is complete.
void run_udp(void);
void run_http(void);
void run_ws(void);

#endif
