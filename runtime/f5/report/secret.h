/* Passwords and tokens. They are kept in locked memory, excluded from core files, wiped after use,
 * and masked in all output.
 *
 *   secret *password = secret_new(typed, strlen(typed));
 *   text line = {0};
 *   secret_mask(&line, body, body_length);    -- replaces every known secret, and every value
 *                                                 of a password-like key, by ********
 *   secret_free(password);
 *
 * The first secret also disables core files for the process, because libcurl and OpenSSL keep
 * copies that cannot be wiped. Use from the client's thread only.
 */
#ifndef F5_SECRET_H
#define F5_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

#define SECRET_MASK "********"

typedef struct secret secret;

/* Keeps a copy and masks it from now on: as it is, and as encoded in JSON and URIs. NULL if there
 * is not enough memory. */
secret *secret_new(const char *value, size_t length);
/* Keeps the concatenation of the parts without masking it: for a header line or a request body
 * whose secret is masked already. */
secret *secret_quiet(const char *const *parts, size_t count);
/* Sets a function that is called before a secret is no longer masked: texts that are to be masked
 * later must be masked now. */
void secret_set_before_end(void (*before)(void));
/* Stops masking it. A password that equals the user name would hide that name in every log line. */
void secret_unmask(secret *s);
const char *secret_string(const secret *s); /* NUL-terminated */
size_t secret_length(const secret *s);
/* The content of a JSON string, without quotes; only for secrets of secret_new. */
const char *secret_json(const secret *s);
void secret_free(secret *s); /* wipes; NULL is fine */

/* Appends the text with every secret replaced. */
void secret_mask(text *out, const char *string, size_t length);
/* The same for a command line, or what a command printed: also masks passwords of options. */
void secret_mask_command(text *out, const char *string, size_t length);
/* Returns whether a member or option of this name holds a secret: "password", "bindPw",
 * "accessToken" … */
bool secret_name(const char *name, size_t length);
/* Like text_free, and wipes the text. A text that grew has left copies behind, so reserve first. */
void secret_text_free(text *t);
/* Returns an empty text with memory for `length` bytes. */
text secret_text(size_t length);
/* A memset to zero that the compiler cannot remove. */
void secret_wipe(void *memory, size_t length);

#endif
