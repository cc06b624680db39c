/* Files that only their owner can read: the console's history. Directories that are missing are
 * made, for the owner alone. False with errno where it fails. */
#ifndef HOST_PRIVATEFILE_H
#define HOST_PRIVATEFILE_H

#include <stdbool.h>
#include <stddef.h>

/* One write at the end of the file, so that what two programs append does not mix. */
bool private_append(const char *path, const char *text, size_t length);

/* Puts a file with this text in the place of what is there, at once or not at all. */
bool private_write(const char *path, const char *text, size_t length);

#endif
