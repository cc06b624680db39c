/* Passwords and tokens: kept in memory that is locked, left out of core files and wiped, and masked
 * wherever text leaves.
 *
 *   secret *password = secret_new(typed, strlen(typed));
 *   text line = {0};
 *   secret_mask(&line, body, body_length);    -- every known secret, and every value of a
 * password-like key, is
 * ******** secret_free(password);
 *
 * The first secret also switches core files off for the process, since libcurl and OpenSSL keep
 * copies that cannot be reached. Used from the client's thread only.
 */
#ifndef F5_SECRET_H
#define F5_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

#define SECRET_MASK "********"

typedef struct secret secret;

/* Keeps a copy and masks it from now on, as it is and as JSON and URIs write it. NULL without
 * memory. */
secret *secret_new(const char *value, size_t length);
/* The same for a text of several parts of which only `hidden` is to be masked: a header line, a
 * request body. */
secret *secret_quiet(const char *const *parts, size_t count);
/* Masks nothing: a password that equals the user's name cannot be told from it, and would take it
 * out of every log line. */
void secret_unmask(secret *s);
const char *secret_string(const secret *s); /* NUL-terminated */
size_t secret_length(const secret *s);
/* As the inside of a JSON string; only of secret_new. */
const char *secret_json(const secret *s);
void secret_free(secret *s); /* wipes; NULL is fine */

/* Appends the text with every secret replaced. */
void secret_mask(text *out, const char *string, size_t length);
/* Whether a member or option of this name holds a secret: "password", "bindPw", "accessToken" … */
bool secret_name(const char *name, size_t length);
/* text_free that wipes. A text that grew has left copies behind: reserve first. */
void secret_text_free(text *t);
/* A text with memory for so many bytes. */
text secret_text(size_t length);
/* memset that the compiler may not leave out. */
void secret_wipe(void *memory, size_t length);

#endif
