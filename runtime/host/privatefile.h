/* Files that only their owner can read, such as the console's history. Missing directories are
 * created, also private. False and errno on failure. */
#ifndef HOST_PRIVATEFILE_H
#define HOST_PRIVATEFILE_H

#include <stdbool.h>
#include <stddef.h>

/* Appends with one write, so that the lines of two programs do not mix. */
bool private_append(const char *path, const char *text, size_t length);

/* Replaces the file by one with this text, completely or not at all. */
bool private_write(const char *path, const char *text, size_t length);

#endif
