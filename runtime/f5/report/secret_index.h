/* Finds the secrets that are masked. For mask.c only. */
#ifndef F5_SECRET_INDEX_H
#define F5_SECRET_INDEX_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a secret may begin with this byte; a backslash begins an escape of JSON. */
extern bool secret_first[256];
/* The length of the longest secret at s, in one of its spellings; 0 if there is none.
 * has_escapes: the text has backslashes, so a secret may be spelled with escapes of JSON. */
size_t secret_longest(const char *s, size_t length, bool has_escapes);

#endif
