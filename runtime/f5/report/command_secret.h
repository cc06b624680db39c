/* Secrets in command lines of a shell or of tmsh, and in what they print. */
#ifndef F5_COMMAND_SECRET_H
#define F5_COMMAND_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a secret follows position `at` of the command line s[from..to): a password after "-u
 * user:", a value after "password", after "pass:" … Finds where it starts and ends. The line may be
 * the inside of a JSON string. */
bool command_secret(const char *s, size_t from, size_t to, size_t at, size_t *start, size_t *end);
/* Whether a password follows in "://user:password@host" at the colon `at`. */
bool address_secret(const char *s, size_t length, size_t at, size_t *start, size_t *end);
/* Whether a private key in PEM begins at `at`: what stands between its first and last line. */
bool private_key(const char *s, size_t length, size_t at, size_t *start, size_t *end);
/* Whether s[at..length) begins with a value that a device has encrypted ("$M$…"), or with the hash
 * of a password ("$6$…"); finds its end. */
bool encrypted_value(const char *s, size_t length, size_t at, size_t *end);

#endif
