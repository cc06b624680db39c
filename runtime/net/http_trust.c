#include "net/http_trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#define DIGEST 32 /* bytes of SHA-256 */

void http_fingerprint(const X509 *certificate, char fingerprint[HTTP_FINGERPRINT]) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  fingerprint[0] = '\0';
  if (X509_digest(certificate, EVP_sha256(), digest, &length) != 1 || length != DIGEST) return;
  for (unsigned i = 0; i < length; i++)
    snprintf(fingerprint + 3 * i, 4, i + 1 < length ? "%02X:" : "%02X", digest[i]);
}

void http_pin(const X509 *certificate, char pin[HTTP_PIN]) {
  static const char start[] = "sha256//";
  unsigned char digest[EVP_MAX_MD_SIZE], *key = NULL;
  unsigned length = 0;
  pin[0] = '\0';
  int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
  bool ok = size > 0 && EVP_Digest(key, (size_t)size, digest, &length, EVP_sha256(), NULL) == 1 &&
            length == DIGEST;
  OPENSSL_free(key);
  if (!ok) return;
  memcpy(pin, start, sizeof start - 1);
  EVP_EncodeBlock((unsigned char *)pin + sizeof start - 1, digest, DIGEST); /* adds the NUL */
}

http_trust *http_trust_new(const char *wanted, bool keep) {
  http_trust *trust = calloc(1, sizeof *trust);
  if (!trust) return NULL;
  trust->references = 1;
  trust->keep = keep;
  if (wanted) snprintf(trust->wanted, sizeof trust->wanted, "%s", wanted);
  return trust;
}

void http_trust_release(http_trust *trust) {
  if (!trust || --trust->references > 0) return;
  X509_free(trust->certificate);
  free(trust);
}

static void look(http_trust *trust, X509 *certificate) {
  http_fingerprint(certificate, trust->fingerprint);
  http_pin(certificate, trust->pin);
  if (!trust->keep) return;
  X509_free(trust->certificate);
  trust->certificate = X509_up_ref(certificate) == 1 ? certificate : NULL;
}

static int verify(X509_STORE_CTX *context, void *user) {
  http_trust *trust = user;
  X509 *certificate = X509_STORE_CTX_get0_cert(context);
  if (certificate) look(trust, certificate);
  if (!trust->wanted[0]) return X509_verify_cert(context);
  trust->changed = strcmp(trust->wanted, trust->fingerprint) != 0;
  X509_STORE_CTX_set_error(context,
                           trust->changed ? X509_V_ERR_APPLICATION_VERIFICATION : X509_V_OK);
  return !trust->changed;
}

/* Called when OpenSSL frees the context. */
static void forget(void *parent, void *trust, CRYPTO_EX_DATA *data, int index, long number,
                   void *pointer) {
  (void)parent, (void)data, (void)index, (void)number, (void)pointer;
  http_trust_release(trust);
}

bool http_trust_install(http_trust *trust, SSL_CTX *context) {
  static int place = -1;
  if (place < 0) place = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, forget);
  if (place < 0 || SSL_CTX_set_ex_data(context, place, trust) != 1) return false;
  trust->references++;
  SSL_CTX_set_cert_verify_callback(context, verify, trust);
  return true;
}
