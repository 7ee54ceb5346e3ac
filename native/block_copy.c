// Copies part of one array into another. Engines copy into shared memory word by word, and byte by byte where the two are not
// aligned alike. An optional Node-API addon; src/platform/node/content/native-copy.ts is its other half.
#include "bytes_of.h"
#include <string.h>

enum { VERSION = 1 };

// A place in an array, where a number of it has room.
static bool is_within(int64_t at, int64_t count, size_t length) {
  return at >= 0 && count >= 0 && (uint64_t)count <= length && (uint64_t)at <= length - (uint64_t)count;
}

// copy(target, at, source, from, count): they may be of the same memory.
static napi_value copy(napi_env env, napi_callback_info info) {
  size_t arguments = 5, target_length, source_length;
  napi_value args[5];
  uint8_t *target, *source;
  int64_t at, from, count;
  napi_get_cb_info(env, info, &arguments, args, NULL, NULL);
  if (!bytes_of(env, args[0], &target, &target_length) || napi_get_value_int64(env, args[1], &at) != napi_ok ||
      !bytes_of(env, args[2], &source, &source_length) || napi_get_value_int64(env, args[3], &from) != napi_ok ||
      napi_get_value_int64(env, args[4], &count) != napi_ok || !is_within(at, count, target_length) ||
      !is_within(from, count, source_length))
    napi_throw_range_error(env, NULL, "copy(target, at, source, from, count) within both");
  else if (count > 0)
    memmove(target + at, source + from, (size_t)count);
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value version, call;
  napi_create_int32(env, VERSION, &version);
  napi_set_named_property(env, exports, "version", version);
  napi_create_function(env, "copy", NAPI_AUTO_LENGTH, copy, NULL, &call);
  napi_set_named_property(env, exports, "copy", call);
  return exports;
}
