// SHA-1 and SHA-256 of eight messages of one length side by side, a 32-bit lane of the vector registers for each: on processors
// without instructions for these hashes three to five times as fast as one message after another. An optional Node-API addon;
// src/platform/node/hash-lanes.ts is its other half.
//
//   registers    a = | a of message 0 | a of message 1 | ... | a of message 7 |      and so on for b, c, ...
//
// FIPS 180-4. A lane that is not used computes what lane 0 does.
#include <node_api.h>
#include <stdint.h>
#include <string.h>

enum { VERSION = 1, LANES = 8, BLOCK_BYTES = 64, SHA1_WORDS = 5, SHA256_WORDS = 8, MOST_WORDS = 8 };

#ifdef __x86_64__
#include <cpuid.h>

typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));

// What the functions below are compiled for; each exists once for either kind of processor.
#define AVX2 __attribute__((target("avx2,bmi2"), noinline))
#define AVX512 __attribute__((target("avx2,bmi2,avx512f,avx512vl,prefer-vector-width=256"), noinline))

#define LEFT(x, n) ((x) << (n) | (x) >> (32 - (n)))
#define RIGHT(x, n) LEFT(x, 32 - (n))

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

// Words of a block, turned from big-endian and gathered from all messages.
#define GATHER(w, messages, at)                                                 \
  _Pragma("GCC unroll 16") for (int i = 0; i < 16; i++) {                       \
    _Pragma("GCC unroll 8") for (int lane = 0; lane < LANES; lane++) {          \
      uint32_t word;                                                            \
      memcpy(&word, messages[lane] + at + 4 * i, 4);                            \
      w[i][lane] = __builtin_bswap32(word);                                     \
    }                                                                           \
  }

#define SHA1_ROUNDS(from, f, constant)                                          \
  _Pragma("GCC unroll 20") for (int i = from; i < from + 20; i++) {             \
    if (i >= 16) {                                                              \
      lanes mixed = w[(i - 3) & 15] ^ w[(i - 8) & 15] ^ w[(i - 14) & 15] ^ w[i & 15]; \
      w[i & 15] = LEFT(mixed, 1);                                               \
    }                                                                           \
    lanes next = LEFT(a, 5) + (f) + e + w[i & 15] + constant;                   \
    e = d;                                                                      \
    d = c;                                                                      \
    c = LEFT(b, 30);                                                            \
    b = a;                                                                      \
    a = next;                                                                   \
  }

#define SHA1_BODY                                                               \
  lanes a0 = state[0], b0 = state[1], c0 = state[2], d0 = state[3], e0 = state[4]; \
  for (size_t at = 0; at < length; at += BLOCK_BYTES) {                         \
    lanes w[16], a = a0, b = b0, c = c0, d = d0, e = e0;                        \
    GATHER(w, messages, at)                                                     \
    SHA1_ROUNDS(0, d ^ (b & (c ^ d)), 0x5a827999)                               \
    SHA1_ROUNDS(20, b ^ c ^ d, 0x6ed9eba1)                                      \
    SHA1_ROUNDS(40, (b & c) | (d & (b | c)), 0x8f1bbcdc)                        \
    SHA1_ROUNDS(60, b ^ c ^ d, 0xca62c1d6)                                      \
    a0 += a, b0 += b, c0 += c, d0 += d, e0 += e;                                \
  }                                                                             \
  state[0] = a0, state[1] = b0, state[2] = c0, state[3] = d0, state[4] = e0;

#define SHA256_BODY                                                             \
  for (size_t at = 0; at < length; at += BLOCK_BYTES) {                         \
    lanes w[16], a = state[0], b = state[1], c = state[2], d = state[3];        \
    lanes e = state[4], f = state[5], g = state[6], h = state[7];               \
    GATHER(w, messages, at)                                                     \
    _Pragma("GCC unroll 64") for (int i = 0; i < 64; i++) {                     \
      if (i >= 16) {                                                            \
        lanes early = w[(i - 15) & 15], late = w[(i - 2) & 15];                 \
        w[i & 15] += (RIGHT(early, 7) ^ RIGHT(early, 18) ^ early >> 3) + w[(i - 7) & 15] + \
                     (RIGHT(late, 17) ^ RIGHT(late, 19) ^ late >> 10);          \
      }                                                                         \
      lanes one = h + (RIGHT(e, 6) ^ RIGHT(e, 11) ^ RIGHT(e, 25)) + (g ^ (e & (f ^ g))) + SHA256_ROUNDS[i] + w[i & 15]; \
      lanes two = (RIGHT(a, 2) ^ RIGHT(a, 13) ^ RIGHT(a, 22)) + ((a & b) | (c & (a | b))); \
      h = g, g = f, f = e, e = d + one, d = c, c = b, b = a, a = one + two;     \
    }                                                                           \
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;                 \
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;                 \
  }

// Whole blocks of all messages go into their states.
typedef void compress(lanes *state, const uint8_t *const *messages, size_t length);

AVX2 static void sha1_avx2(lanes *state, const uint8_t *const *messages, size_t length) { SHA1_BODY }
AVX512 static void sha1_avx512(lanes *state, const uint8_t *const *messages, size_t length) { SHA1_BODY }
AVX2 static void sha256_avx2(lanes *state, const uint8_t *const *messages, size_t length) { SHA256_BODY }
AVX512 static void sha256_avx512(lanes *state, const uint8_t *const *messages, size_t length) { SHA256_BODY }

struct kind {
  compress *blocks;
  const uint32_t *start;
  int words;
};

static bool has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
}

// Whether the processor has instructions for these hashes, which make one message after another as fast as AVX2 makes eight.
static bool has_sha(void) {
  unsigned int a, b = 0, c, d;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b >> 29 & 1) != 0;
}

// How many messages at once are quicker than one by one: 0 where none are.
static int least_messages(bool is_sha1) {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2")) return 0;
  if (has_sha()) return is_sha1 && has_avx512() ? 6 : 0;
  return has_avx512() ? 2 : 4;
}

static struct kind kind_of(bool is_sha1) {
  bool wide = has_avx512();
  if (is_sha1) return (struct kind){wide ? sha1_avx512 : sha1_avx2, SHA1_START, SHA1_WORDS};
  return (struct kind){wide ? sha256_avx512 : sha256_avx2, SHA256_START, SHA256_WORDS};
}

static void begin(const struct kind *kind, uint32_t *words) {
  for (int i = 0; i < kind->words * LANES; i++) words[i] = kind->start[i / LANES];
}

// The words that `words` has for each register and lane; they need not be aligned.
static void feed(const struct kind *kind, uint32_t *words, const uint8_t *const *messages, size_t length) {
  lanes state[MOST_WORDS];
  memcpy(state, words, kind->words * sizeof(lanes));
  kind->blocks(state, messages, length);
  memcpy(words, state, kind->words * sizeof(lanes));
}

// What is left of each message, less than a block, then the padding and the length of all of it.
static void end(const struct kind *kind, uint32_t *words, const uint8_t *const *rests, size_t rest, uint64_t total) {
  uint8_t last[LANES][2 * BLOCK_BYTES];
  const uint8_t *messages[LANES];
  size_t length = rest + 9 <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;
  uint64_t bits = __builtin_bswap64(total * 8);
  for (int lane = 0; lane < LANES; lane++) {
    memset(last[lane], 0, length);
    memcpy(last[lane], rests[lane], rest);
    last[lane][rest] = 0x80;
    memcpy(last[lane] + length - sizeof bits, &bits, sizeof bits);
    messages[lane] = last[lane];
  }
  feed(kind, words, messages, length);
}

static void tell(const struct kind *kind, const uint32_t *words, int count, uint8_t *digests) {
  for (int lane = 0; lane < count; lane++) {
    for (int i = 0; i < kind->words; i++, digests += 4) {
      uint32_t word = __builtin_bswap32(words[i * LANES + lane]);
      memcpy(digests, &word, 4);
    }
  }
}

static bool bytes_of(napi_env env, napi_value value, uint8_t **bytes, size_t *length) {
  napi_typedarray_type type;
  return napi_get_typedarray_info(env, value, &type, length, (void **)bytes, NULL, NULL) == napi_ok && type == napi_uint8_array;
}

// The messages of an array: at most LANES, all of one length. Their number, 0 where they are not so.
static int messages_of(napi_env env, napi_value array, const uint8_t **messages, size_t *length) {
  uint32_t count = 0;
  if (napi_get_array_length(env, array, &count) != napi_ok || count == 0 || count > LANES) return 0;
  for (uint32_t lane = 0; lane < LANES; lane++) {
    napi_value value;
    uint8_t *bytes = (uint8_t *)messages[0];
    size_t own = *length;
    if (lane < count && (napi_get_element(env, array, lane, &value) != napi_ok || !bytes_of(env, value, &bytes, &own))) return 0;
    if (lane == 0) *length = own;
    if (own != *length) return 0;
    messages[lane] = bytes;
  }
  return (int)count;
}

static napi_value refuse(napi_env env, const char *call) {
  napi_throw_type_error(env, NULL, call);
  return NULL;
}

// sha1(state, isFirst, chunks, totalBytes, digests): the next chunk of each message, whole blocks but for the last one. With the
// last chunk comes the length of all of a message, and the digests are told; before, it is 0.
static napi_value sha1(napi_env env, napi_callback_info info) {
  static const char CALL[] = "sha1(state, isFirst, chunks, totalBytes, digests)";
  size_t arguments = 5, state_length, digests_length, length = 0;
  napi_value args[5];
  uint8_t *state, *digests;
  const uint8_t *messages[LANES] = {NULL};
  bool is_first;
  int64_t total;
  napi_get_cb_info(env, info, &arguments, args, NULL, NULL);
  int count = messages_of(env, args[2], messages, &length);
  if (count == 0 || !bytes_of(env, args[0], &state, &state_length) || !bytes_of(env, args[4], &digests, &digests_length) ||
      napi_get_value_bool(env, args[1], &is_first) != napi_ok || napi_get_value_int64(env, args[3], &total) != napi_ok)
    return refuse(env, CALL);
  struct kind kind = kind_of(true);
  size_t rest = length % BLOCK_BYTES;
  uint32_t words[SHA1_WORDS * LANES];
  if (state_length != sizeof words || (total == 0 && rest != 0) || digests_length < (size_t)count * 4 * SHA1_WORDS)
    return refuse(env, CALL);
  if (is_first) begin(&kind, words);
  else memcpy(words, state, sizeof words);
  feed(&kind, words, messages, length - rest);
  if (total == 0) {
    memcpy(state, words, sizeof words);
    return NULL;
  }
  for (int lane = 0; lane < LANES; lane++) messages[lane] += length - rest;
  end(&kind, words, messages, rest, (uint64_t)total);
  tell(&kind, words, count, digests);
  return NULL;
}

// sha256(bytes, unitBytes, digests): of each unit of `bytes`, which is whole units long.
static napi_value sha256(napi_env env, napi_callback_info info) {
  static const char CALL[] = "sha256(bytes, unitBytes, digests)";
  size_t arguments = 3, length, digests_length;
  napi_value args[3];
  uint8_t *bytes, *digests;
  uint32_t unit;
  napi_get_cb_info(env, info, &arguments, args, NULL, NULL);
  if (!bytes_of(env, args[0], &bytes, &length) || !bytes_of(env, args[2], &digests, &digests_length) ||
      napi_get_value_uint32(env, args[1], &unit) != napi_ok || unit == 0 || length % unit != 0 ||
      digests_length < length / unit * 4 * SHA256_WORDS)
    return refuse(env, CALL);
  struct kind kind = kind_of(false);
  size_t rest = unit % BLOCK_BYTES;
  for (size_t at = 0; at < length; at += (size_t)LANES * unit) {
    const uint8_t *messages[LANES];
    uint32_t words[SHA256_WORDS * LANES];
    size_t left = (length - at) / unit;
    int count = left < LANES ? (int)left : LANES;
    for (int lane = 0; lane < LANES; lane++) messages[lane] = bytes + at + (lane < count ? (size_t)lane * unit : 0);
    begin(&kind, words);
    feed(&kind, words, messages, unit - rest);
    for (int lane = 0; lane < LANES; lane++) messages[lane] += unit - rest;
    end(&kind, words, messages, rest, unit);
    tell(&kind, words, count, digests);
    digests += (size_t)count * 4 * SHA256_WORDS;
  }
  return NULL;
}

#else

static int least_messages(bool is_sha1) { return 0; }
static napi_value sha1(napi_env env, napi_callback_info info) { return NULL; }
static napi_value sha256(napi_env env, napi_callback_info info) { return NULL; }

#endif

NAPI_MODULE_INIT() {
  napi_value version, least_sha1, least_sha256;
  napi_property_descriptor calls[] = {
      {"sha1", NULL, sha1, NULL, NULL, NULL, napi_enumerable, NULL},
      {"sha256", NULL, sha256, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_create_int32(env, VERSION, &version);
  napi_set_named_property(env, exports, "version", version);
  napi_create_int32(env, least_messages(true), &least_sha1);
  napi_set_named_property(env, exports, "leastSha1", least_sha1);
  napi_create_int32(env, least_messages(false), &least_sha256);
  napi_set_named_property(env, exports, "leastSha256", least_sha256);
  napi_define_properties(env, exports, sizeof calls / sizeof *calls, calls);
  return exports;
}
