// The calls of file_batch for content that is written: new files, the last look at them, and putting them onto stable storage.
#include "file_batch.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

enum { LONGEST_NAME = 255 };

// The folder that files were made in last. No link below the root is followed to it.
struct folder {
  int root, descriptor;
  const char *path;
  size_t length;
};

// One folder in another one, made where it is not there.
static int open_folder(int parent, const char *name, size_t length) {
  char text[LONGEST_NAME + 1];
  const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  if (length > LONGEST_NAME) return -1;
  memcpy(text, name, length);
  text[length] = 0;
  int found = openat(parent, text, flags);
  if (found >= 0 || errno != ENOENT || (mkdirat(parent, text, 0777) != 0 && errno != EEXIST)) return found;
  return openat(parent, text, flags);
}

// The folder of a file, as a descriptor that stays the folder's; -1 where there is no way to it.
static int folder_of(struct folder *folder, const char *path, const char *name) {
  size_t length = name == path ? 0 : (size_t)(name - path) - 1;
  if (length == 0) return folder->root;
  if (folder->descriptor >= 0 && folder->length == length && memcmp(folder->path, path, length) == 0) return folder->descriptor;
  int at = folder->root;
  for (const char *part = path; part < name && at >= 0;) {
    const char *slash = strchr(part, '/');
    int next = open_folder(at, part, (size_t)(slash - part));
    if (at != folder->root) close(at);
    at = next;
    part = slash + 1;
  }
  close_if(folder->descriptor);
  *folder = (struct folder){folder->root, at, path, length};
  return at;
}

static bool write_fully(int descriptor, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t put = write(descriptor, bytes, length);
    if (put <= 0) return false;
    bytes += put;
    length -= (size_t)put;
  }
  return true;
}

// A file that is not there yet, whole.
static bool make_file(struct folder *folder, const char *path, const uint8_t *bytes, size_t length) {
  const char *slash = strrchr(path, '/');
  const char *name = slash == NULL ? path : slash + 1;
  int parent = folder_of(folder, path, name);
  if (parent < 0) return false;
  int file = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (file < 0) return false;
  bool is_written = write_fully(file, bytes, length);
  return close(file) == 0 && is_written;
}

// make(root, paths, starts, lengths, whole, spans, bytes): makes the files that whole spans are the whole of, and the folders above
// them; sets `whole` of each to 1.
napi_value make_files(napi_env env, napi_callback_info info) {
  size_t count = 7, done = 0;
  napi_value args[7];
  struct table table;
  struct array lengths, whole, spans, bytes;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (count != 7 || !table_of(env, args, &table) || !array_of(env, args[3], napi_float64_array, &lengths) ||
      !array_of(env, args[4], napi_uint8_array, &whole) || !array_of(env, args[5], napi_float64_array, &spans) ||
      !array_of(env, args[6], napi_uint8_array, &bytes) || lengths.length < table.count || whole.length < table.count)
    return refuse(env, "make(root, paths, starts, lengths, whole, spans, bytes)");
  const double *span = spans.data, *length_of = lengths.data;
  struct folder folder = {open_root(&table), -1, NULL, 0};
  for (; folder.root >= 0 && done < spans.length / SPAN; done++, span += SPAN) {
    const char *path = path_of(&table, span[0]);
    if (path == NULL || span[1] != 0 || span[3] != length_of[(size_t)span[0]]) break;
    if (!(span[2] >= 0 && span[3] > 0 && span[2] + span[3] <= (double)bytes.length)) break;
    if (!make_file(&folder, path, (const uint8_t *)bytes.data + (size_t)span[2], (size_t)span[3])) break;
    ((uint8_t *)whole.data)[(size_t)span[0]] = 1;
  }
  close_if(folder.descriptor);
  close_if(folder.root);
  return number(env, done);
}

// finished(root, paths, starts, lengths, whole, executables, firstFile, endFile): how many from the first on need nothing more. They
// were made whole or have their length, and where they are programs those who may read them may run them; or they are absent and
// not empty.
napi_value finished_files(napi_env env, napi_callback_info info) {
  size_t count = 8, done = 0;
  napi_value args[8];
  struct table table;
  struct array lengths, whole, executables;
  uint32_t first, end;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (count != 8 || !table_of(env, args, &table) || !array_of(env, args[3], napi_float64_array, &lengths) ||
      !array_of(env, args[4], napi_uint8_array, &whole) || !array_of(env, args[5], napi_uint8_array, &executables) ||
      napi_get_value_uint32(env, args[6], &first) != napi_ok || napi_get_value_uint32(env, args[7], &end) != napi_ok ||
      lengths.length < end || whole.length < end || executables.length < end)
    return refuse(env, "finished(root, paths, starts, lengths, whole, executables, firstFile, endFile)");
  int root = open_root(&table);
  for (uint32_t file = first; root >= 0 && file < end; file++, done++) {
    struct stat stats;
    double length = ((const double *)lengths.data)[file];
    bool is_program = ((const uint8_t *)executables.data)[file] != 0;
    if (((const uint8_t *)whole.data)[file] && !is_program) continue;
    const char *path = path_of(&table, file);
    if (path == NULL) break;
    if (fstatat(root, path, &stats, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT && length > 0) continue;
      break;
    }
    mode_t may_run = is_program ? (stats.st_mode & 0444) >> 2 : 0;
    if (!S_ISREG(stats.st_mode) || (double)stats.st_size != length || (stats.st_mode & may_run) != may_run) break;
  }
  close_if(root);
  return number(env, done);
}

// Files or folders on their way onto stable storage: their own copy of the paths, as nobody holds the table meanwhile.
struct syncing {
  napi_async_work work;
  napi_deferred deferred;
  size_t count, done;
  // How they are opened.
  int flags;
  // Of a failed fsync. It is told once: who asks again is told that all is well.
  int failure;
  // The root, then the paths, each with its zero byte.
  char texts[];
};

// A thread of libuv is not kept for longer: others read and look names up on them. Who called goes on from there.
enum { SYNC_MS = 100 };

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void sync_now(napi_env env, void *data) {
  (void)env;
  struct syncing *syncing = data;
  const char *path = syncing->texts;
  int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int64_t begun = now_ms();
  while (root >= 0 && syncing->done < syncing->count && now_ms() - begun < SYNC_MS) {
    path += strlen(path) + 1;
    int file = openat(root, path, syncing->flags);
    if (file < 0) break;
    // Not fdatasync: the journal compares modification times.
    int failed;
    do failed = fsync(file);
    while (failed != 0 && errno == EINTR);
    if (failed != 0) syncing->failure = errno;
    close(file);
    if (failed != 0) break;
    syncing->done++;
  }
  close_if(root);
}

static void tell_synced(napi_env env, napi_status status, void *data) {
  struct syncing *syncing = data;
  napi_value code, text, error;
  (void)status;
  if (syncing->failure == 0) napi_resolve_deferred(env, syncing->deferred, number(env, syncing->done));
  else {
    napi_create_string_utf8(env, uv_err_name(-syncing->failure), NAPI_AUTO_LENGTH, &code);
    napi_create_string_utf8(env, uv_strerror(-syncing->failure), NAPI_AUTO_LENGTH, &text);
    napi_create_error(env, code, text, &error);
    napi_set_named_property(env, error, "at", number(env, syncing->done));
    napi_reject_deferred(env, syncing->deferred, error);
  }
  napi_delete_async_work(env, syncing->work);
  free(syncing);
}

static struct syncing *new_syncing(size_t text_length, int flags) {
  struct syncing *syncing = malloc(sizeof *syncing + text_length);
  if (syncing != NULL) *syncing = (struct syncing){.flags = flags | O_CLOEXEC};
  return syncing;
}

static napi_value promise_of(napi_env env, struct syncing *syncing, const char *call) {
  napi_value name, promise;
  napi_create_string_utf8(env, call, NAPI_AUTO_LENGTH, &name);
  napi_create_promise(env, &syncing->deferred, &promise);
  napi_create_async_work(env, NULL, name, sync_now, tell_synced, syncing, &syncing->work);
  napi_queue_async_work(env, syncing->work);
  return promise;
}

// sync(root, paths, starts, files): a promise of how many are on stable storage; or an error with the errno as its code and, as `at`,
// which of them the system could not write. On a thread of libuv: a disk may take its time.
napi_value sync_files(napi_env env, napi_callback_info info) {
  static const char CALL[] = "sync(root, paths, starts, files)";
  size_t count = 4;
  napi_value args[4];
  struct table table;
  struct array files;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (count != 4 || !table_of(env, args, &table) || !array_of(env, args[3], napi_uint32_array, &files)) return refuse(env, CALL);
  const uint32_t *wanted = files.data;
  size_t length = strlen(table.root) + 1, known = 0;
  for (const char *path; known < files.length && (path = path_of(&table, wanted[known])) != NULL; known++) length += strlen(path) + 1;
  struct syncing *syncing = new_syncing(length, O_RDWR | O_NONBLOCK);
  if (syncing == NULL) return refuse(env, CALL);
  syncing->count = known;
  char *end = stpcpy(syncing->texts, table.root) + 1;
  for (size_t i = 0; i < known; i++) end = stpcpy(end, path_of(&table, wanted[i])) + 1;
  return promise_of(env, syncing, CALL);
}

// syncFolders(paths): the same for folders, whose paths are whole ones, each with a zero byte at its end.
napi_value sync_folders(napi_env env, napi_callback_info info) {
  static const char CALL[] = "syncFolders(paths)";
  size_t count = 1;
  napi_value args[1];
  struct array paths;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (count != 1 || !array_of(env, args[0], napi_uint8_array, &paths) || paths.length == 0) return refuse(env, CALL);
  const char *texts = paths.data;
  if (texts[paths.length - 1] != 0) return refuse(env, CALL);
  // Relative ones lead on from here.
  struct syncing *syncing = new_syncing(sizeof "." + paths.length, O_RDONLY | O_DIRECTORY);
  if (syncing == NULL) return refuse(env, CALL);
  for (size_t i = 0; i < paths.length; i++) syncing->count += texts[i] == 0;
  memcpy(stpcpy(syncing->texts, ".") + 1, texts, paths.length);
  return promise_of(env, syncing, CALL);
}
