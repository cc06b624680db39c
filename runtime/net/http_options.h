/* How to reach a server. */
#ifndef NET_HTTP_OPTIONS_H
#define NET_HTTP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* http_peer_new copies the strings. NULL or 0 means the default. */
typedef struct http_peer_options {
  const char *base;       /* "https://bigip1.example.net:443" */
  bool insecure;          /* do not verify the certificate */
  const char *ca;         /* CA file (PEM) for this peer; default: see http_system_ca */
  const char *cert, *key; /* PEM files of the client certificate and its key */
  /* Fingerprint of the only certificate that is right, see http_trust.h; NULL: the CAs decide. Not
   * through a proxy that is reached with TLS. */
  const char *wanted;
  bool keep_certificate; /* http_peer_trust has the certificate */
  const char *pin;       /* CURLOPT_PINNEDPUBLICKEY: "sha256//…" or a file */
  const char *proxy;     /* CURLOPT_PROXY; default: from the environment */
  const char *user_agent;
  long connect_timeout_ms; /* default 10,000 */
  long timeout_ms;         /* for a whole exchange, default 60,000 */
  size_t body_limit;       /* maximum size of an answer in memory, bytes; default 256 MiB */
  /* Maximum number of exchanges at a time, default 4. Others wait; that time does not count. */
  unsigned parallel;
} http_peer_options;

/* Copies the options and fills in the defaults. False if out of memory; then free what was
 * copied. */
bool http_options_copy(http_peer_options *to, const http_peer_options *from);
/* Frees the strings of a copy. */
void http_options_free(http_peer_options *options);

#endif
