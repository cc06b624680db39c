/* Files that only their owner can read and write: the console's history, trusted certificates. */
#ifndef BASE_PRIVATE_FILE_H
#define BASE_PRIVATE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

enum { PRIVATE_FILE_MAX = 1 << 20 }; /* bytes of a file that can be read */

typedef enum private_file_result {
  PRIVATE_READ,
  PRIVATE_ABSENT,
  PRIVATE_REFUSED
} private_file_result;

/* Appends the file to `content`. It counts only if nobody else can have written it: a regular file,
 * no link, of this user, in a directory of this user, and neither is writable for others.
 * PRIVATE_REFUSED: `reason` says why it does not count. */
private_file_result private_file_read(const char *path, text *content, text *reason);
/* Whether the directory counts; if not, `reason` says why. One that does not exist counts. */
bool private_file_check_directory(const char *path, text *reason);

/* Appends with one write, so that the lines of two programs do not mix. Missing directories are
 * created, also private. False and errno on failure. */
bool private_file_append(const char *path, const char *bytes, size_t length);
/* Replaces the file by one with these bytes, completely or not at all; otherwise like
 * private_file_append. */
bool private_file_write(const char *path, const char *bytes, size_t length);

#endif
