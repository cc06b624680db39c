#include "f5/report/seal.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "f5/report/base64.h"

#define HEAD "f5lua-sealed:1:"
#define COST 15 /* log2: 32 MiB */
#define BLOCK 8
#define LANES 3
#define MAX_COST 20 /* what a strange file may demand: 1 GiB */
#define MAX_BLOCK 16
#define MAX_LANES 16
#define NONCE 12
#define TAG 16
#define MAX_HEAD 64

static const char NO_MEMORY[] = "not enough memory";
static const char DAMAGED[] = "it is not a sealed text, or it is damaged";
static const char WRONG[] = "the passphrase is wrong, or the text was changed";

void seal_wipe(seal_key *key) {
  OPENSSL_cleanse(key, sizeof *key);
}

/* Makes the key, unless it is there already. */
static const char *derive(seal_key *key, const char *passphrase, size_t length, int cost, int block,
                          int lanes, const unsigned char salt[SEAL_SALT]) {
  unsigned char of[SEAL_DIGEST];
  if (!EVP_Digest(passphrase, length, of, NULL, EVP_sha256(), NULL)) return NO_MEMORY;
  if (key->known && key->cost == cost && key->block == block && key->lanes == lanes &&
      memcmp(key->salt, salt, SEAL_SALT) == 0 && CRYPTO_memcmp(key->of, of, SEAL_DIGEST) == 0)
    return NULL;
  key->known = false;
  uint64_t count = (uint64_t)1 << cost;
  uint64_t memory = 128 * (count + (uint64_t)lanes + 2) * (uint64_t)block + (1 << 20);
  if (!EVP_PBE_scrypt(passphrase, length, salt, SEAL_SALT, count, (uint64_t)block, (uint64_t)lanes,
                      memory, key->key, SEAL_KEY))
    return NO_MEMORY;
  key->cost = cost, key->block = block, key->lanes = lanes;
  memmove(key->salt, salt, SEAL_SALT);
  memcpy(key->of, of, SEAL_DIGEST);
  key->known = true;
  return NULL;
}

/* Encrypts into `to`: length bytes and the tag. */
static bool encrypt(const seal_key *key, const unsigned char *nonce, const char *head,
                    const char *bytes, size_t length, unsigned char *to) {
  EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
  int size = 0, rest = 0;
  bool done =
      cipher && EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key->key, nonce) &&
      EVP_EncryptUpdate(cipher, NULL, &size, (const unsigned char *)head, (int)strlen(head)) &&
      EVP_EncryptUpdate(cipher, to, &size, (const unsigned char *)bytes, (int)length) &&
      EVP_EncryptFinal_ex(cipher, to + size, &rest) &&
      EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG, to + length);
  EVP_CIPHER_CTX_free(cipher);
  return done;
}

static bool decrypt(const seal_key *key, const unsigned char *nonce, const char *head,
                    const unsigned char *from, size_t length, unsigned char *to) {
  EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
  unsigned char tag[TAG];
  int size = 0, rest = 0;
  memcpy(tag, from + length, TAG);
  bool done =
      cipher && EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key->key, nonce) &&
      EVP_DecryptUpdate(cipher, NULL, &size, (const unsigned char *)head, (int)strlen(head)) &&
      EVP_DecryptUpdate(cipher, to, &size, from, (int)length) &&
      EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG, tag) &&
      EVP_DecryptFinal_ex(cipher, to + size, &rest) > 0;
  EVP_CIPHER_CTX_free(cipher);
  return done;
}

const char *seal_text(seal_key *key, const char *passphrase, size_t passphrase_length,
                      const char *bytes, size_t length, text *out) {
  char head[MAX_HEAD];
  unsigned char salt[SEAL_SALT];
  if (passphrase_length == 0) return "the passphrase is empty";
  if (length > INT_MAX / 2 - MAX_HEAD - SEAL_SALT - NONCE - TAG) return "the text is too long";
  if (key->known && key->cost == COST && key->block == BLOCK && key->lanes == LANES)
    memcpy(salt, key->salt, SEAL_SALT);
  else if (RAND_bytes(salt, SEAL_SALT) != 1)
    return "there are no random numbers";
  const char *failure = derive(key, passphrase, passphrase_length, COST, BLOCK, LANES, salt);
  if (failure) return failure;
  text raw = {0};
  unsigned char *at = (unsigned char *)text_room(&raw, SEAL_SALT + NONCE + length + TAG);
  if (!at) return NO_MEMORY;
  snprintf(head, sizeof head, HEAD "%d:%d:%d:", COST, BLOCK, LANES);
  memcpy(at, salt, SEAL_SALT);
  if (RAND_bytes(at + SEAL_SALT, NONCE) != 1)
    failure = "there are no random numbers";
  else if (!encrypt(key, at + SEAL_SALT, head, bytes, length, at + SEAL_SALT + NONCE))
    failure = NO_MEMORY;
  if (!failure) {
    text_put(out, head);
    base64_put(out, at, raw.length);
    if (out->failed) failure = NO_MEMORY;
  }
  text_free(&raw);
  return failure;
}

static const char *open_bytes(seal_key *key, const char *passphrase, size_t passphrase_length,
                              const char *head, const int cost[3], const unsigned char *bytes,
                              size_t length, text *out) {
  if (length < SEAL_SALT + NONCE + TAG) return DAMAGED;
  const char *failure =
      derive(key, passphrase, passphrase_length, cost[0], cost[1], cost[2], bytes);
  if (failure) return failure;
  size_t inner = length - SEAL_SALT - NONCE - TAG;
  unsigned char *to = (unsigned char *)text_room(out, inner + 1);
  if (!to) return NO_MEMORY;
  out->length--;
  out->data[out->length] = '\0';
  if (decrypt(key, bytes + SEAL_SALT, head, bytes + SEAL_SALT + NONCE, inner, to)) return NULL;
  OPENSSL_cleanse(to, inner);
  text_clear(out);
  return WRONG;
}

const char *seal_open(seal_key *key, const char *passphrase, size_t passphrase_length,
                      const char *sealed, size_t length, text *out) {
  char head[MAX_HEAD], again[MAX_HEAD];
  int cost[3], end = 0;
  snprintf(head, sizeof head, "%.*s", (int)(length < MAX_HEAD ? length : MAX_HEAD - 1), sealed);
  if (sscanf(head, HEAD "%2d:%2d:%2d:%n", &cost[0], &cost[1], &cost[2], &end) != 3 || end == 0)
    return strncmp(head, "f5lua-sealed:", 13) == 0 && strncmp(head, HEAD, strlen(HEAD)) != 0
               ? "it was sealed by another version of f5lua"
               : DAMAGED;
  head[end] = '\0';
  snprintf(again, sizeof again, HEAD "%d:%d:%d:", cost[0], cost[1], cost[2]);
  if (strcmp(head, again) != 0 || cost[0] < 1 || cost[0] > MAX_COST || cost[1] < 1 ||
      cost[1] > MAX_BLOCK || cost[2] < 1 || cost[2] > MAX_LANES)
    return DAMAGED;
  text raw = {0};
  bool read = base64_read(&raw, sealed + end, length - (size_t)end);
  const char *failure = raw.failed ? NO_MEMORY : read ? NULL : DAMAGED;
  if (!failure)
    failure = open_bytes(key, passphrase, passphrase_length, head, cost,
                         (const unsigned char *)raw.data, raw.length, out);
  text_free(&raw);
  return failure;
}
