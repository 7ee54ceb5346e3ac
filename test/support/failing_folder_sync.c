// For LD_PRELOAD: the first fsync of a folder at or below $FAILS_BELOW fails, as of a disk that has lost what it was given. Like the
// system it says so once.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_flag has_failed = ATOMIC_FLAG_INIT;

static int is_meant(int file) {
  const char *below = getenv("FAILS_BELOW");
  struct stat stats;
  char link[64], path[PATH_MAX + 1];
  if (below == NULL || fstat(file, &stats) != 0 || !S_ISDIR(stats.st_mode)) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, PATH_MAX);
  return length >= (ssize_t)strlen(below) && strncmp(path, below, strlen(below)) == 0;
}

int fsync(int file) {
  static int (*real)(int);
  if (is_meant(file) && !atomic_flag_test_and_set(&has_failed)) {
    errno = EIO;
    return -1;
  }
  if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return real(file);
}
