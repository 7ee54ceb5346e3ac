// A Uint8Array that JavaScript gives to a native module, as memory.
#pragma once
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>

// False where it is none.
static inline bool bytes_of(napi_env env, napi_value value, uint8_t **bytes, size_t *length) {
  napi_typedarray_type type;
  return napi_get_typedarray_info(env, value, &type, length, (void **)bytes, NULL, NULL) == napi_ok && type == napi_uint8_array;
}
