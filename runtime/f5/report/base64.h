#ifndef F5_BASE64_H
#define F5_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* Appends bytes in base64. */
void base64_put(text *out, const void *bytes, size_t length);
/* Appends the bytes of a base64 text, of which each sequence of bytes has only one. Returns false,
 * and appends nothing of use, if the text is another one, or if memory runs out. */
bool base64_read(text *out, const char *from, size_t length);

#endif
