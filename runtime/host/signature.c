/* Ed25519 signatures of programs, with OpenSSL. The signed text names its purpose, so a signature
 * made for something else with the same key is not valid here. It contains a hash, so the program
 * need not be in memory twice. */
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "host/bundle.h"

size_t bundle_signed_text(const void *program, size_t length, char text[BUNDLE_SIGNED_TEXT]) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(program, length, digest);
  int at = snprintf(text, BUNDLE_SIGNED_TEXT, "f5lua program 1\n");
  for (size_t i = 0; i < sizeof digest; i++)
    at += snprintf(text + at, BUNDLE_SIGNED_TEXT - (size_t)at, "%02x", digest[i]);
  return (size_t)at;
}

bool bundle_signature_holds(const unsigned char public_key[32], const void *program, size_t length,
                            const unsigned char signature[BUNDLE_SIGNATURE]) {
  char text[BUNDLE_SIGNED_TEXT];
  size_t text_length = bundle_signed_text(program, length, text);
  EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool holds = key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
               EVP_DigestVerify(context, signature, BUNDLE_SIGNATURE, (const unsigned char *)text,
                                text_length) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  return holds;
}
