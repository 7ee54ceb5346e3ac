// SHA-1 and SHA-256 of messages of one length side by side, a 32-bit lane of the vector registers for each (lane_kernels.h): two to
// five times as fast as one message after another. An optional Node-API addon; src/platform/node/content/hash-lanes.ts is its other half.
#include <node_api.h>

enum { VERSION = 2 };

// How much of the processor is used: nothing; AVX2; AVX-512VL, in registers of 256 bits; those of 512 bits too, for SHA-256.
enum use { NONE, USE_AVX2, USE_AVX512, USE_WIDE };

#ifdef __x86_64__
#include "bytes_of.h"
#include "lane_kernels.h"
#include <cpuid.h>

// MOST_LANES: of SHA-256. SHA-1 has LANES at most, as sixteen pieces would take a lot of memory, and are a fifth faster only.
enum { LANES = 8, MOST_LANES = 16, MOST_STATE_WORDS = MOST_WORDS * MOST_LANES };

// Whole blocks of all messages go into their states.
typedef void compress(void *words, const uint8_t *const *messages, size_t length);

struct kind {
  compress *blocks;
  const uint32_t *start;
  int words;
  int lanes;
};

static bool has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}

// What the processor has. The first ones with AVX-512 get slower while they use registers of 512 bits; those with VBMI2 do not.
static enum use most_use(void) {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2")) return NONE;
  if (!has_avx512()) return USE_AVX2;
  return __builtin_cpu_supports("avx512vbmi2") ? USE_WIDE : USE_AVX512;
}

// Of all threads; less than the processor has only where a test says so.
static enum use in_use = NONE;
__attribute__((constructor)) static void choose(void) { in_use = most_use(); }

// Whether the processor has instructions for these hashes, which make one message after another two times as fast as without.
static bool has_sha(void) {
  unsigned int a, b = 0, c, d;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b >> 29 & 1) != 0;
}

// How many messages at once are quicker than one by one: 0 where none are. Measured: docs/decisions/0013.
static int least_messages(bool is_sha1) {
  enum use use = most_use();
  if (use == NONE) return 0;
  if (!has_sha()) return use == USE_AVX2 ? 4 : 2;
  if (use == USE_AVX2) return is_sha1 ? 5 : 0;
  return is_sha1 ? 3 : 5;
}

static struct kind sha1_kind(void) {
  return (struct kind){in_use == USE_AVX2 ? sha1_avx2 : sha1_avx512, SHA1_START, SHA1_WORDS, LANES};
}

// For so many messages or more.
static struct kind sha256_kind(size_t messages) {
  if (in_use == USE_WIDE && messages > LANES) return (struct kind){sha256_wide, SHA256_START, SHA256_WORDS, MOST_LANES};
  return (struct kind){in_use == USE_AVX2 ? sha256_avx2 : sha256_avx512, SHA256_START, SHA256_WORDS, LANES};
}

static void begin(const struct kind *kind, uint32_t *words) {
  for (int i = 0; i < kind->words * kind->lanes; i++) words[i] = kind->start[i / kind->lanes];
}

// The words that `words` has for each register and lane; they need not be aligned.
static void feed(const struct kind *kind, uint32_t *words, const uint8_t *const *messages, size_t length) {
  uint32_t state[MOST_STATE_WORDS] __attribute__((aligned(64)));
  size_t state_bytes = sizeof *words * kind->words * kind->lanes;
  memcpy(state, words, state_bytes);
  kind->blocks(state, messages, length);
  memcpy(words, state, state_bytes);
}

// What is left of each message, less than a block, then the padding and the length of all of it.
static void end(const struct kind *kind, uint32_t *words, const uint8_t *const *rests, size_t rest, uint64_t total) {
  uint8_t last[MOST_LANES][2 * BLOCK_BYTES];
  const uint8_t *messages[MOST_LANES];
  size_t length = rest + 9 <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;
  uint64_t bits = __builtin_bswap64(total * 8);
  for (int lane = 0; lane < kind->lanes; lane++) {
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
      uint32_t word = __builtin_bswap32(words[i * kind->lanes + lane]);
      memcpy(digests, &word, 4);
    }
  }
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
  struct kind kind = sha1_kind();
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
  size_t rest = unit % BLOCK_BYTES;
  for (size_t at = 0; at < length;) {
    const uint8_t *messages[MOST_LANES];
    uint32_t words[MOST_STATE_WORDS];
    size_t left = (length - at) / unit;
    struct kind kind = sha256_kind(left);
    int count = left < (size_t)kind.lanes ? (int)left : kind.lanes;
    // A lane that is not used computes what lane 0 does.
    for (int lane = 0; lane < kind.lanes; lane++) messages[lane] = bytes + at + (lane < count ? (size_t)lane * unit : 0);
    begin(&kind, words);
    feed(&kind, words, messages, unit - rest);
    for (int lane = 0; lane < kind.lanes; lane++) messages[lane] += unit - rest;
    end(&kind, words, messages, rest, unit);
    tell(&kind, words, count, digests);
    at += (size_t)count * unit;
    digests += (size_t)count * 4 * SHA256_WORDS;
  }
  return NULL;
}

// use(most): for tests, the kernels of a lesser processor, on this one; returns what is in use, which is not more than it has.
static napi_value use(napi_env env, napi_callback_info info) {
  size_t arguments = 1;
  napi_value args[1], now;
  uint32_t most;
  napi_get_cb_info(env, info, &arguments, args, NULL, NULL);
  if (napi_get_value_uint32(env, args[0], &most) != napi_ok || most == NONE) return refuse(env, "use(most)");
  in_use = most < most_use() ? most : most_use();
  napi_create_uint32(env, in_use, &now);
  return now;
}

#else

static int least_messages(bool is_sha1) { return 0; }
static napi_value sha1(napi_env env, napi_callback_info info) { return NULL; }
static napi_value sha256(napi_env env, napi_callback_info info) { return NULL; }
static napi_value use(napi_env env, napi_callback_info info) { return NULL; }

#endif

NAPI_MODULE_INIT() {
  napi_value version, least_sha1, least_sha256;
  napi_property_descriptor calls[] = {
      {"sha1", NULL, sha1, NULL, NULL, NULL, napi_enumerable, NULL},
      {"sha256", NULL, sha256, NULL, NULL, NULL, napi_enumerable, NULL},
      {"use", NULL, use, NULL, NULL, NULL, napi_enumerable, NULL},
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
