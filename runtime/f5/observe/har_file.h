/* A HAR file that grows. Each write puts new entries in the place of the end, with the end behind
 * them, so the file is complete after each one. */
#ifndef F5_HAR_FILE_H
#define F5_HAR_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "f5/observe/observed.h"

typedef struct har_file {
  int fd;               /* of the caller */
  uint64_t size, count; /* bytes without the end, and entries: of what is in the file */
  int problem;          /* errno of the write that failed, 0: none did. Nothing is written then. */
  text entries;         /* that are not in the file yet */
  uint64_t waiting;     /* how many */
  char *end;
} har_file;

/* NULL if there is not enough memory. */
har_file *har_file_new(int fd, uint64_t size, const char *end);
/* Takes an exchange that is masked. False after a problem. */
bool har_file_put(har_file *file, const f5_exchange *e);
/* Writes what was taken; without `now` only if that is much. */
void har_file_write(har_file *file, bool now);
void har_file_free(har_file *file); /* does not close it; NULL is fine */

#endif
