// SHA-1 and SHA-256 (FIPS 180-4) of 8 or 16 messages of one length side by side, in GNU C vectors. Included by hash_lanes.c alone.
//
//   registers    a = | a of message 0 | a of message 1 | ... | a of message 7 |      and so on for b, c, ...
//
// A block comes in a message at a time and is turned round, so that each register holds one word of all messages: rows of
// words are interleaved in twos, fours and eights, where scalar loads would cost a fifth of the time.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { BLOCK_BYTES = 64, BLOCK_WORDS = 16, SHA1_WORDS = 5, SHA256_WORDS = 8, MOST_WORDS = 8 };

typedef uint32_t lanes8 __attribute__((vector_size(32)));
typedef uint32_t lanes16 __attribute__((vector_size(64)));
typedef uint8_t bytes32 __attribute__((vector_size(32)));
typedef uint8_t bytes64 __attribute__((vector_size(64)));

// What the functions below are compiled for; each exists once for either kind of processor.
#define AVX2 __attribute__((target("avx2,bmi2"), noinline))
#define AVX512 __attribute__((target("avx2,bmi2,avx512f,avx512vl,avx512bw,prefer-vector-width=256"), noinline))
#define AVX512_WIDE __attribute__((target("avx2,bmi2,avx512f,avx512vl,avx512bw,prefer-vector-width=512"), noinline))
#define INLINE static inline __attribute__((always_inline))

#ifdef __clang__
#define PICK(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define PICK(x, y, ...) __builtin_shuffle(x, y, (__typeof__(x)){__VA_ARGS__})
#endif

// Compilers make one instruction of each where the processor has it (vprold).
#define LEFT(x, n) ((x) << (n) | (x) >> (32 - (n)))
#define RIGHT(x, n) LEFT(x, 32 - (n))

// Bytes of big-endian words, from byte `o` on.
#define TURNED_WORD(o) o + 3, o + 2, o + 1, o
#define TURNED(o) TURNED_WORD(o), TURNED_WORD(o + 4), TURNED_WORD(o + 8), TURNED_WORD(o + 12)

static const uint32_t SHA1_START[SHA1_WORDS] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
static const uint32_t SHA256_START[SHA256_WORDS] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
static const uint32_t SHA256_ROUNDS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// The words of a block, each of all messages: 8 rows of half a block are turned round, twice.
INLINE void gather8(lanes8 *w, const uint8_t *const *messages, size_t at) {
  lanes8 r[8], s[8];
#pragma GCC unroll 2
  for (int half = 0; half < 2; half++, w += 8, at += 32) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
      bytes32 row;
      memcpy(&row, messages[i] + at, sizeof row);
      r[i] = (lanes8)PICK(row, row, TURNED(0), TURNED(16));
    }
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
      s[i] = PICK(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
      s[i + 1] = PICK(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      int from = (i & 1) + (i & 2) * 2, to = (i & 1) * 2 + (i & 2) * 2;
      r[to] = PICK(s[from], s[from + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      r[to + 1] = PICK(s[from], s[from + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      w[i] = PICK(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
      w[i + 4] = PICK(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
  }
}

// The same of 16 messages, whose rows are whole blocks.
INLINE void gather16(lanes16 *w, const uint8_t *const *messages, size_t at) {
  lanes16 r[16], s[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) {
    bytes64 row;
    memcpy(&row, messages[i] + at, sizeof row);
    r[i] = (lanes16)PICK(row, row, TURNED(0), TURNED(16), TURNED(32), TURNED(48));
  }
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    s[i] = PICK(r[i], r[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
    s[i + 1] = PICK(r[i], r[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    int from = (i & 1) + (i & 6) * 2, to = (i & 1) * 2 + (i & 6) * 2;
    r[to] = PICK(s[from], s[from + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
    r[to + 1] = PICK(s[from], s[from + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    int from = (i & 3) + (i & 4) * 2;
    s[from] = PICK(r[from], r[from + 4], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
    s[from + 4] = PICK(r[from], r[from + 4], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    w[i] = PICK(s[i], s[i + 8], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    w[i + 8] = PICK(s[i], s[i + 8], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  }
}

// What depends on the round before is added last: a sum from left to right would be one long chain.
#define SHA1_ROUNDS(from, mix, constant)                                        \
  _Pragma("GCC unroll 20") for (int i = from; i < from + 20; i++) {             \
    if (i >= BLOCK_WORDS) {                                                     \
      lanes mixed = w[(i - 3) & 15] ^ w[(i - 8) & 15] ^ w[(i - 14) & 15] ^ w[i & 15]; \
      w[i & 15] = LEFT(mixed, 1);                                               \
    }                                                                           \
    lanes next = LEFT(a, 5) + ((mix) + (e + (w[i & 15] + constant)));           \
    e = d, d = c, c = LEFT(b, 30), b = a, a = next;                             \
  }

#define SHA1_BODY(gather)                                                       \
  lanes a0 = state[0], b0 = state[1], c0 = state[2], d0 = state[3], e0 = state[4]; \
  for (size_t at = 0; at < length; at += BLOCK_BYTES) {                         \
    lanes w[BLOCK_WORDS], a = a0, b = b0, c = c0, d = d0, e = e0;               \
    gather(w, messages, at);                                                    \
    SHA1_ROUNDS(0, d ^ (b & (c ^ d)), 0x5a827999)                               \
    SHA1_ROUNDS(20, b ^ c ^ d, 0x6ed9eba1)                                      \
    SHA1_ROUNDS(40, (b & c) | (d & (b | c)), 0x8f1bbcdc)                        \
    SHA1_ROUNDS(60, b ^ c ^ d, 0xca62c1d6)                                      \
    a0 += a, b0 += b, c0 += c, d0 += d, e0 += e;                                \
  }                                                                             \
  state[0] = a0, state[1] = b0, state[2] = c0, state[3] = d0, state[4] = e0;

#define SHA256_BODY(gather)                                                     \
  for (size_t at = 0; at < length; at += BLOCK_BYTES) {                         \
    lanes w[BLOCK_WORDS], a = state[0], b = state[1], c = state[2], d = state[3]; \
    lanes e = state[4], f = state[5], g = state[6], h = state[7];               \
    gather(w, messages, at);                                                    \
    _Pragma("GCC unroll 64") for (int i = 0; i < 64; i++) {                     \
      if (i >= BLOCK_WORDS) {                                                   \
        lanes early = w[(i - 15) & 15], late = w[(i - 2) & 15];                 \
        w[i & 15] += (RIGHT(early, 7) ^ RIGHT(early, 18) ^ early >> 3) + w[(i - 7) & 15] + \
                     (RIGHT(late, 17) ^ RIGHT(late, 19) ^ late >> 10);          \
      }                                                                         \
      lanes ready = h + (SHA256_ROUNDS[i] + w[i & 15]);                         \
      lanes one = (RIGHT(e, 6) ^ RIGHT(e, 11) ^ RIGHT(e, 25)) + (ready + (g ^ (e & (f ^ g)))); \
      lanes two = (RIGHT(a, 2) ^ RIGHT(a, 13) ^ RIGHT(a, 22)) + ((a & b) | (c & (a | b))); \
      h = g, g = f, f = e, e = d + one, d = c, c = b, b = a, a = one + two;     \
    }                                                                           \
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;                 \
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;                 \
  }

#define KERNEL(target, name, width, body)                                       \
  target static void name(void *words, const uint8_t *const *messages, size_t length) { \
    typedef lanes##width lanes;                                                 \
    lanes *state = words;                                                       \
    body(gather##width)                                                         \
  }

KERNEL(AVX2, sha1_avx2, 8, SHA1_BODY)
KERNEL(AVX512, sha1_avx512, 8, SHA1_BODY)
KERNEL(AVX2, sha256_avx2, 8, SHA256_BODY)
KERNEL(AVX512, sha256_avx512, 8, SHA256_BODY)
KERNEL(AVX512_WIDE, sha256_wide, 16, SHA256_BODY)
