#include "f5/trust/trust.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "f5/report/error.h"
#include "f5/session/certificate.h"

#define DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
#define DIGEST_DIGITS 43 /* of 32 bytes in base64, before the '=' */

/* Returns whether the bytes are one complete ASN.1 value. Decoding the certificate would take
 * OpenSSL 0.3 ms, too long for a fleet. */
static bool is_whole(const unsigned char *bytes, long length) {
  const unsigned char *content = bytes;
  long inner;
  int tag, class, form = ASN1_get_object(&content, &inner, &tag, &class, length);
  return !(form & 0x80) && tag == V_ASN1_SEQUENCE;
}

static void check_ca(complaint *c) {
  BIO *file = certificate_open(c);
  if (!file) return;
  char *name, *header;
  unsigned char *bytes;
  long length;
  unsigned found = 0, damaged = 0;
  while (PEM_read_bio(file, &name, &header, &bytes, &length)) {
    bool certificate = strstr(name, "CERTIFICATE") != NULL;
    found += certificate;
    damaged += certificate && !is_whole(bytes, length);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(bytes);
  }
  if (damaged || !certificate_at_end())
    certificate_complain(c, "contains a truncated or damaged certificate");
  else if (!found)
    certificate_complain_missing(c, file);
  BIO_free(file);
}

/* libcurl looks for the key in the certificate's file if no key file is given. */
static void check_pair(complaint *c, const char *key) {
  X509 *certificate = certificate_read(c);
  if (!certificate) return;
  if (key) *c = (complaint){.name = "key", .path = key};
  certificate_check_key(c, certificate, !key, NULL);
  X509_free(certificate);
}

/* sha256//DIGEST;sha256//DIGEST;… */
static void check_digests(complaint *c) {
  const char *at = c->path;
  do {
    if (strncmp(at, "sha256//", 8) != 0 || strspn(at + 8, DIGITS) != DIGEST_DIGITS ||
        at[8 + DIGEST_DIGITS] != '=') {
      certificate_complain(c,
                           "is not sha256//DIGEST (32 bytes in base64; separate several with ';')");
      return;
    }
    at += 8 + DIGEST_DIGITS + 1;
  } while (*at == ';' && *++at);
  if (*at) certificate_complain(c, "has text after its last digest; separate several with ';'");
}

static void check_pin(complaint *c) {
  if (strncmp(c->path, "sha256//", 8) == 0) {
    check_digests(c);
    return;
  }
  struct stat status;
  if (stat(c->path, &status) != 0) {
    snprintf(c->reason, sizeof c->reason, "is neither sha256//DIGEST nor a file: %s",
             strerror(errno));
    return;
  }
  BIO *file = certificate_open(c);
  if (!file) return;
  EVP_PKEY *key = PEM_read_bio_PUBKEY(file, NULL, NULL, NULL);
  if (!key && BIO_seek(file, 0) == 0) key = d2i_PUBKEY_bio(file, NULL);
  X509 *certificate =
      !key && BIO_seek(file, 0) == 0 ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;
  if (certificate)
    certificate_complain(
        c, "is a certificate; give its public key: openssl x509 -in FILE -noout -pubkey");
  else if (!key)
    certificate_complain(c, "contains no public key");
  X509_free(certificate);
  EVP_PKEY_free(key);
  BIO_free(file);
}

void trust_check(lua_State *L, const http_peer_options *peer) {
  if (!peer->ca && !peer->cert && !peer->pin) return;
  complaint c = {.name = "ca", .path = peer->ca};
  if (peer->ca) check_ca(&c);
  if (!c.reason[0] && peer->cert) {
    c = (complaint){.name = "cert", .path = peer->cert};
    check_pair(&c, peer->key);
  }
  if (!c.reason[0] && peer->pin) {
    c = (complaint){.name = "pin", .path = peer->pin};
    check_pin(&c);
  }
  ERR_clear_error(); /* libcurl reads the same queue */
  if (c.reason[0]) error_usage(L, "option '%s': %s %s", c.name, c.path, c.reason);
}
