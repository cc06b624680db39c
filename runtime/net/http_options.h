/* How a server is reached, as the owner of a peer says it. */
#ifndef NET_HTTP_OPTIONS_H
#define NET_HTTP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* All strings are copied; NULL or 0 means the default. */
typedef struct http_peer_options {
  const char *base; /* "https://bigip1.example.net:443" */
  bool insecure;    /* do not verify the certificate */
  const char *ca;   /* CA file (PEM) for this peer alone; NULL: the system's, see http_system_ca */
  const char *cert, *key; /* client certificate and key, PEM files */
  const char *pin;        /* CURLOPT_PINNEDPUBLICKEY: "sha256//…" or a file */
  const char *proxy;      /* CURLOPT_PROXY; NULL: the environment's */
  const char *user_agent;
  long connect_timeout_ms; /* default 10,000 */
  long timeout_ms;         /* whole exchange, default 60,000 */
  size_t body_limit;       /* largest answer held in memory, bytes; default 256 MiB */
  unsigned parallel; /* exchanges at a time; more wait here, their time does not count; default 4 */
} http_peer_options;

/* Copies them, with the defaults filled in. False without memory: what was copied is there to be
 * freed. */
bool http_options_copy(http_peer_options *to, const http_peer_options *from);
/* Frees the strings of a copy. */
void http_options_free(http_peer_options *options);

#endif
