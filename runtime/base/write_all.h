/* Writes to a descriptor until everything is written: write(2) may write less, and may be
 * interrupted by a signal. */
#ifndef BASE_WRITE_ALL_H
#define BASE_WRITE_ALL_H

#include <stdbool.h>
#include <stddef.h>

/* Returns whether everything was written; errno says why not. */
bool write_all(int fd, const char *bytes, size_t length);

#endif
