/* Files that decide whom the user trusts. They count only if nobody else can have written them: a
 * regular file, no link, of this user, in a directory of this user, and neither is writable for
 * others. */
#ifndef BASE_PRIVATE_FILE_H
#define BASE_PRIVATE_FILE_H

#include <stdbool.h>

#include "base/text.h"

enum { PRIVATE_FILE_MAX = 1 << 20 }; /* bytes of such a file */

typedef enum private_file_result {
  PRIVATE_READ,
  PRIVATE_ABSENT,
  PRIVATE_REFUSED
} private_file_result;

/* Appends the file to `content`. PRIVATE_REFUSED: `reason` says why it does not count. */
private_file_result private_file_read(const char *path, text *content, text *reason);
/* Whether the directory counts; if not, `reason` says why. One that does not exist counts. */
bool private_file_check_directory(const char *path, text *reason);

#endif
