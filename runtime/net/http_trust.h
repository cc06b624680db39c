/* The certificate that a peer shows: what identifies it, and whether it is the one that it must
 * have.
 *
 * Each TLS context holds a reference, because a connection may outlive the peer that opened it. */
#ifndef NET_HTTP_TRUST_H
#define NET_HTTP_TRUST_H

#include <stdbool.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

enum {
  HTTP_FINGERPRINT = 96, /* bytes of "AB:CD:…" (SHA-256) and its NUL */
  HTTP_PIN = 64          /* bytes of "sha256//DIGEST" and its NUL, with room */
};

typedef struct http_trust {
  unsigned references;
  bool keep;                          /* keep the certificate itself */
  bool changed;                       /* another certificate came than `wanted` */
  char wanted[HTTP_FINGERPRINT];      /* the only certificate that is right; "": ask the CAs */
  char fingerprint[HTTP_FINGERPRINT]; /* of the certificate that came last; "": none came */
  char pin[HTTP_PIN];                 /* of its public key */
  X509 *certificate;                  /* the certificate, with `keep` */
} http_trust;

/* wanted: a fingerprint, or NULL. NULL if out of memory. */
http_trust *http_trust_new(const char *wanted, bool keep);
void http_trust_release(http_trust *trust);
/* Looks at each certificate that comes over connections of this context. */
bool http_trust_install(http_trust *trust, SSL_CTX *context);

/* SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` prints it; "" if that fails.
 */
void http_fingerprint(const X509 *certificate, char fingerprint[HTTP_FINGERPRINT]);
/* "sha256//DIGEST" of its public key; "" if that fails. */
void http_pin(const X509 *certificate, char pin[HTTP_PIN]);

#endif
