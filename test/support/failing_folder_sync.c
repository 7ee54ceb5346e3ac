// For LD_PRELOAD: the first fsync of a folder at or below $FAILS_BELOW fails, as of a disk that has lost what it was given. Like the
// system it says so once; with $FAILS_TIMES the first so many fail.
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

static atomic_int failed_count;

static int is_meant(int file) {
  const char *below = getenv("FAILS_BELOW");
  struct stat stats;
  char link[64], path[PATH_MAX + 1];
  if (below == NULL || fstat(file, &stats) != 0 || !S_ISDIR(stats.st_mode)) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, PATH_MAX);
  return length >= (ssize_t)strlen(below) && strncmp(path, below, strlen(below)) == 0;
}

static int is_to_fail(void) {
  const char *times = getenv("FAILS_TIMES");
  return atomic_fetch_add(&failed_count, 1) < (times == NULL ? 1 : atoi(times));
}

int fsync(int file) {
  static int (*real)(int);
  if (is_meant(file) && is_to_fail()) {
    errno = EIO;
    return -1;
  }
  if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return real(file);
}
