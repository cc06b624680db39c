/* Sealed texts: secrets that are kept in plans and change records. Whoever has the passphrase reads
 * them; nobody can change them unnoticed.
 *
 * A sealed text is printable, without blanks and quotes: "f5lua-sealed:1:15:8:3:" and in base64 the
 * salt, the nonce, the ciphertext and the tag. The key is made of the passphrase by scrypt with
 * these parameters (log2 of N, r, p) and the salt; the cipher is AES-256-GCM. The tag also covers
 * the first part. */
#ifndef F5_SEAL_H
#define F5_SEAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

#define SEAL_SALT 16
#define SEAL_KEY 32
#define SEAL_DIGEST 32

/* The last key: to make one takes a quarter of a second. All texts that are sealed one after the
 * other have the same salt, and different nonces. Wipe it at the end. */
typedef struct seal_key {
  bool known;
  int cost, block, lanes; /* of scrypt */
  unsigned char salt[SEAL_SALT], key[SEAL_KEY], of[SEAL_DIGEST] /* SHA-256 of the passphrase */;
} seal_key;

/* Both return NULL if it worked, otherwise the reason. `out` is a text that is empty. */
const char *seal_text(seal_key *key, const char *passphrase, size_t passphrase_length,
                      const char *bytes, size_t length, text *out);
const char *seal_open(seal_key *key, const char *passphrase, size_t passphrase_length,
                      const char *sealed, size_t length, text *out);
void seal_wipe(seal_key *key);

#endif
