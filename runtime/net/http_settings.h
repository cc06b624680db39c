/* What is the same in every request to a peer. */
#ifndef NET_HTTP_SETTINGS_H
#define NET_HTTP_SETTINGS_H

#include <curl/curl.h>
#include <stdbool.h>

#include "net/http_options.h"
#include "net/http_sockets.h"
#include "net/loop.h"

/* Strings live as long as the peer. */
typedef struct http_peer_settings {
  http_peer_options options; /* defaults filled in */
  bool proxied;              /* a proxy is given, or the environment may name one */
  CURLU *base;               /* options.base, parsed; NULL when each request says its whole URL */
  char *user_agent;          /* "User-Agent: …", or NULL */
  char *ca_directory; /* the system's hashed directory, when certificates are looked for there; else
                         NULL */
  http_sockets *sockets;
} http_peer_settings;

/* Fills zero-initialised settings. False without memory; then nothing is kept. */
bool http_settings_init(http_peer_settings *settings, loop *l, const http_peer_options *options);
/* Frees all but the sockets, which libcurl may close later. */
void http_settings_clear(http_peer_settings *settings);

#endif
