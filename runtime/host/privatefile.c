#include "host/privatefile.h"
#include "base/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool make_directories(const char *path) {
  char *copy = strdup(path);
  if (!copy) return false;
  bool made = true;
  for (char *slash = strchr(copy + 1, '/'); slash && made; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    made = mkdir(copy, 0700) == 0 || errno == EEXIST;
    *slash = '/';
  }
  free(copy);
  return made;
}

/* Closes fd in any case. */
static bool write_private(int fd, const char *text, size_t length) {
  /* an existing file may have other permissions */
  bool written = fchmod(fd, 0600) == 0 && write_all(fd, text, length);
  int reason = errno;
  if (close(fd) != 0 && written) return false;
  errno = reason;
  return written;
}

static int open_private(const char *path, int flags) {
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
  if (fd >= 0 || errno != ENOENT || !make_directories(path)) return fd;
  return open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
}

bool private_append(const char *path, const char *text, size_t length) {
  int fd = open_private(path, O_APPEND);
  return fd >= 0 && write_private(fd, text, length);
}

bool private_write(const char *path, const char *text, size_t length) {
  size_t size = strlen(path) + 32;
  char *temporary = malloc(size);
  if (!temporary) return false;
  snprintf(temporary, size, "%s.%ld", path, (long)getpid());
  int fd = open_private(temporary, O_TRUNC);
  bool done = fd >= 0 && write_private(fd, text, length) && rename(temporary, path) == 0;
  if (!done && fd >= 0) {
    int reason = errno;
    unlink(temporary);
    errno = reason;
  }
  free(temporary);
  return done;
}
