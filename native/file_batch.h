// What the calls of file_batch share: the table of files that each is given, and the two halves of the module.
#ifndef FILE_BATCH_H
#define FILE_BATCH_H

#define _GNU_SOURCE
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Numbers of a span: file, position in it, place in the memory, length.
enum { SPAN = 4 };

struct array {
  void *data;
  size_t length;
};

struct table {
  const char *root, *paths;
  const uint32_t *starts;
  size_t paths_length, count;
};

bool array_of(napi_env env, napi_value value, napi_typedarray_type wanted, struct array *array);

// From the first three arguments of a call.
bool table_of(napi_env env, const napi_value *args, struct table *table);

// The path of a file below the root; null where it is none of the table, or where the root itself is the file.
const char *path_of(const struct table *table, double file);

int open_root(const struct table *table);
void close_if(int descriptor);
napi_value number(napi_env env, size_t value);
napi_value refuse(napi_env env, const char *call);

// file_writes.c
napi_value make_files(napi_env env, napi_callback_info info);
napi_value finished_files(napi_env env, napi_callback_info info);
napi_value sync_files(napi_env env, napi_callback_info info);
napi_value sync_folders(napi_env env, napi_callback_info info);

#endif
