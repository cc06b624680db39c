#include "f5/observe/har_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "f5/observe/har.h"

#define MUCH ((size_t)32 * 1024)
#define MOST ((size_t)1 << 20) /* bytes of memory that are kept for the next entries */

har_file *har_file_new(int fd, uint64_t size, const char *end) {
  har_file *file = calloc(1, sizeof *file);
  if (!file) return NULL;
  file->fd = fd;
  file->size = size;
  file->end = strdup(end);
  if (file->end) return file;
  free(file);
  return NULL;
}

void har_file_free(har_file *file) {
  if (!file) return;
  text_free(&file->entries);
  free(file->end);
  free(file);
}

bool har_file_put(har_file *file, const f5_exchange *e) {
  if (file->problem) return false;
  text_put(&file->entries, file->count + file->waiting == 0 ? "\n" : ",\n");
  har_put(&file->entries, e);
  file->waiting++;
  return true;
}

static bool write_at(int fd, const char *bytes, size_t length, uint64_t at) {
  const int flags = fcntl(fd, F_GETFL); /* with O_APPEND, pwrite would append */
  if (flags < 0 || ((flags & O_APPEND) && fcntl(fd, F_SETFL, flags & ~O_APPEND) != 0)) return false;
  while (length > 0) {
    ssize_t n = pwrite(fd, bytes, length, (off_t)at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes += n;
    length -= (size_t)n;
    at += (uint64_t)n;
  }
  return true;
}

void har_file_write(har_file *file, bool now) {
  text *entries = &file->entries;
  const size_t length = entries->length;
  if (file->problem || file->waiting == 0 || (!now && length < MUCH && !entries->failed)) return;
  text_put(entries, file->end);
  if (entries->failed) {
    file->problem = ENOMEM;
  } else if (!write_at(file->fd, entries->data, entries->length, file->size)) {
    file->problem = errno;
  } else {
    file->size += length;
    file->count += file->waiting;
    file->waiting = 0;
  }
  if (file->problem || entries->capacity > MOST)
    text_free(entries);
  else
    text_clear(entries);
}
