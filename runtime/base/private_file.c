#include "base/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/write_all.h"

/* -- reading -- */

static bool is_own(const struct stat *status, const char *path, text *reason) {
  if (status->st_uid != geteuid())
    text_printf(reason, "%s belongs to another user", path);
  else if (status->st_mode & (S_IWGRP | S_IWOTH))
    text_printf(reason, "others can write %s: chmod go-w it", path);
  else
    return true;
  return false;
}

bool private_file_check_directory(const char *path, text *reason) {
  struct stat status;
  if (stat(path, &status) != 0) {
    if (errno == ENOENT) return true;
    text_printf(reason, "%s: %s", path, strerror(errno));
    return false;
  }
  if (!S_ISDIR(status.st_mode)) {
    text_printf(reason, "%s is not a directory", path);
    return false;
  }
  return is_own(&status, path, reason);
}

static bool check(int fd, const char *path, text *reason) {
  struct stat status;
  if (fstat(fd, &status) != 0)
    text_printf(reason, "%s: %s", path, strerror(errno));
  else if (!S_ISREG(status.st_mode))
    text_printf(reason, "%s is not a regular file", path);
  else if (status.st_size > PRIVATE_FILE_MAX)
    text_printf(reason, "%s is too large", path);
  else
    return is_own(&status, path, reason);
  return false;
}

static bool read_all(int fd, const char *path, text *content, text *reason) {
  char bytes[4096];
  for (size_t all = 0;;) {
    ssize_t got = read(fd, bytes, sizeof bytes);
    if (got == 0) return true;
    if (got < 0 && errno == EINTR) continue;
    if (got > 0 && (all += (size_t)got) <= PRIVATE_FILE_MAX) {
      text_add(content, bytes, (size_t)got);
      continue;
    }
    text_printf(reason, "%s: %s", path, got < 0 ? strerror(errno) : "it is too large");
    return false;
  }
}

private_file_result private_file_read(const char *path, text *content, text *reason) {
  /* O_NONBLOCK: a FIFO must not stop the program */
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG) return PRIVATE_ABSENT;
    text_printf(reason, errno == ELOOP ? "%s is a link" : "%s: %s", path, strerror(errno));
    return PRIVATE_REFUSED;
  }
  const char *slash = strrchr(path, '/');
  char *directory = slash && slash > path ? strndup(path, (size_t)(slash - path)) : strdup(".");
  bool right = directory && private_file_check_directory(directory, reason) &&
               check(fd, path, reason) && read_all(fd, path, content, reason);
  if (!directory) text_put(reason, "not enough memory");
  free(directory);
  close(fd);
  return right ? PRIVATE_READ : PRIVATE_REFUSED;
}

/* -- writing -- */

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
static bool write_and_close(int fd, const char *bytes, size_t length) {
  /* an existing file may have other permissions */
  bool written = fchmod(fd, 0600) == 0 && write_all(fd, bytes, length);
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

bool private_file_append(const char *path, const char *bytes, size_t length) {
  int fd = open_private(path, O_APPEND);
  return fd >= 0 && write_and_close(fd, bytes, length);
}

bool private_file_write(const char *path, const char *bytes, size_t length) {
  size_t size = strlen(path) + 32;
  char *temporary = malloc(size);
  if (!temporary) return false;
  snprintf(temporary, size, "%s.%ld", path, (long)getpid());
  int fd = open_private(temporary, O_TRUNC);
  bool done = fd >= 0 && write_and_close(fd, bytes, length) && rename(temporary, path) == 0;
  if (!done && fd >= 0) {
    int reason = errno;
    unlink(temporary);
    errno = reason;
  }
  free(temporary);
  return done;
}
