// Many files in one call: looked at, read, made, finished, synced. Of very many small files a call into the system costs less than
// the call, the path and the objects that Node needs for it. An optional Node-API addon; src/platform/node/content/file-batch.ts is its
// other half.
//
// Each call goes through its files in order as long as all is as it should be, and returns how many it took. The one at which
// it stopped is left to the other half, which does it by Node's own calls and so says what is wrong.
//
//   table     root "/home/a/content\0" | paths "0001/a.bin\0" "0001/b.bin\0" ... | starts 0 11 22 ...   (all below the root)
#include "file_batch.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSION = 1, STATE = 4 };

bool array_of(napi_env env, napi_value value, napi_typedarray_type wanted, struct array *array) {
  napi_typedarray_type type;
  return napi_get_typedarray_info(env, value, &type, &array->length, &array->data, NULL, NULL) == napi_ok && type == wanted;
}

// The first three arguments of every call. Texts end with a zero byte, so that none is read past its end.
bool table_of(napi_env env, const napi_value *args, struct table *table) {
  struct array root, paths, starts;
  if (!array_of(env, args[0], napi_uint8_array, &root) || !array_of(env, args[1], napi_uint8_array, &paths) ||
      !array_of(env, args[2], napi_uint32_array, &starts))
    return false;
  table->root = root.data;
  table->paths = paths.data;
  table->paths_length = paths.length;
  table->starts = starts.data;
  table->count = starts.length - 1;
  // A path that goes on behind a zero byte is another one than it is taken for.
  if (root.length == 0 || memchr(table->root, 0, root.length) != table->root + root.length - 1) return false;
  return starts.length > 0 && paths.length > 0 && table->paths[paths.length - 1] == 0;
}

// The path of a file below the root; null where it is none of the table, or where the root itself is the file.
const char *path_of(const struct table *table, double file) {
  if (!(file >= 0 && file < table->count)) return NULL;
  size_t start = table->starts[(size_t)file];
  if (start >= table->paths_length || table->paths[start] == 0) return NULL;
  return table->paths + start;
}

int open_root(const struct table *table) { return open(table->root, O_PATH | O_DIRECTORY | O_CLOEXEC); }

napi_value refuse(napi_env env, const char *call) {
  napi_throw_type_error(env, NULL, call);
  return NULL;
}

napi_value number(napi_env env, size_t value) {
  napi_value out;
  napi_create_double(env, (double)value, &out);
  return out;
}

void close_if(int descriptor) {
  if (descriptor >= 0) close(descriptor);
}

// look(root, paths, starts, files, states): exists, length, modification time in ms, may be run; four numbers for each file of the
// table, left alone where no regular file is. Links are followed.
static napi_value look(napi_env env, napi_callback_info info) {
  size_t count = 5, done = 0;
  napi_value args[5];
  struct table table;
  struct array files, states;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (count != 5 || !table_of(env, args, &table) || !array_of(env, args[3], napi_uint32_array, &files) ||
      !array_of(env, args[4], napi_float64_array, &states) || states.length < table.count * STATE)
    return refuse(env, "look(root, paths, starts, files, states)");
  const uint32_t *wanted = files.data;
  int root = open_root(&table);
  bool is_absent = root < 0 && errno == ENOENT;
  for (; (root >= 0 || is_absent) && done < files.length; done++) {
    struct stat stats;
    const char *path = path_of(&table, wanted[done]);
    if (path == NULL) break;
    if (is_absent) continue;
    if (fstatat(root, path, &stats, 0) != 0) {
      if (errno == ENOENT) continue;
      break;
    }
    if (!S_ISREG(stats.st_mode)) continue;
    double *state = (double *)states.data + (size_t)wanted[done] * STATE;
    state[0] = 1;
    state[1] = (double)stats.st_size;
    // As Node reckons it: the same time must be the same number whoever has looked.
    state[2] = (double)stats.st_mtim.tv_sec * 1000 + (double)stats.st_mtim.tv_nsec / 1e6;
    state[3] = (stats.st_mode & 0111) != 0;
  }
  close_if(root);
  return number(env, done);
}

static bool read_fully(int descriptor, uint8_t *into, size_t length, off_t position) {
  while (length > 0) {
    ssize_t got = pread(descriptor, into, length, position);
    if (got <= 0) return false;
    into += got;
    position += got;
    length -= (size_t)got;
  }
  return true;
}

// read(root, paths, starts, spans, into, at, lengths): fills `into`, which stands at `at` of what the spans describe, with whole spans
// and with zeros between them. Tells how long the file of each is.
static napi_value read_spans(napi_env env, napi_callback_info info) {
  size_t count = 7, done = 0;
  napi_value args[7];
  double at;
  struct table table;
  struct array spans, into, lengths;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (count != 7 || !table_of(env, args, &table) || !array_of(env, args[3], napi_float64_array, &spans) ||
      !array_of(env, args[4], napi_uint8_array, &into) || napi_get_value_double(env, args[5], &at) != napi_ok ||
      !array_of(env, args[6], napi_float64_array, &lengths) || lengths.length < spans.length / SPAN)
    return refuse(env, "read(root, paths, starts, spans, into, at, lengths)");
  const double *span = spans.data;
  double filled = spans.length < SPAN ? 0 : span[2] - at;
  int root = open_root(&table);
  for (; root >= 0 && done < spans.length / SPAN; done++, span += SPAN) {
    double start = span[2] - at, end = start + span[3];
    const char *path = path_of(&table, span[0]);
    if (path == NULL || !(span[1] >= 0 && filled >= 0 && start >= filled && end > start && end <= (double)into.length)) break;
    int file = openat(root, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) break;
    struct stat stats;
    uint8_t *bytes = into.data;
    bool is_good = fstat(file, &stats) == 0 && S_ISREG(stats.st_mode) &&
                   read_fully(file, bytes + (size_t)start, (size_t)span[3], (off_t)span[1]);
    close(file);
    if (!is_good) break;
    memset(bytes + (size_t)filled, 0, (size_t)(start - filled));
    ((double *)lengths.data)[done] = (double)stats.st_size;
    filled = end;
  }
  close_if(root);
  return number(env, done);
}

NAPI_MODULE_INIT() {
  napi_value version;
  napi_property_descriptor calls[] = {
      {"look", NULL, look, NULL, NULL, NULL, napi_enumerable, NULL},
      {"read", NULL, read_spans, NULL, NULL, NULL, napi_enumerable, NULL},
      {"make", NULL, make_files, NULL, NULL, NULL, napi_enumerable, NULL},
      {"finished", NULL, finished_files, NULL, NULL, NULL, napi_enumerable, NULL},
      {"sync", NULL, sync_files, NULL, NULL, NULL, napi_enumerable, NULL},
      {"syncFolders", NULL, sync_folders, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_create_int32(env, VERSION, &version);
  napi_set_named_property(env, exports, "version", version);
  napi_define_properties(env, exports, sizeof calls / sizeof *calls, calls);
  return exports;
}
