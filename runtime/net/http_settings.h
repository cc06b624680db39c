/* What is the same in every request to a peer. */
#ifndef NET_HTTP_SETTINGS_H
#define NET_HTTP_SETTINGS_H

#include <curl/curl.h>
#include <stdbool.h>

#include "net/http_options.h"
#include "net/http_sockets.h"
#include "net/http_trust.h"
#include "net/loop.h"

/* The strings live as long as the peer. */
typedef struct http_peer_settings {
  http_peer_options options; /* with the defaults */
  const char *proxy_source; /* what names a proxy: "proxy", "https_proxy" …; NULL: nothing does */
  CURLU *base;              /* options.base, parsed; NULL if each request sets its whole URL */
  char *user_agent;         /* "User-Agent: …", or NULL */
  /* The hashed directory of the system, if certificates are looked up there; else NULL. */
  char *ca_directory;
  http_sockets *sockets;
  http_trust *trust; /* NULL: nobody looks at the certificate but OpenSSL */
} http_peer_settings;

/* Fills in zero-initialised settings. If memory runs out, keeps nothing and returns false. */
bool http_settings_init(http_peer_settings *settings, loop *l, const http_peer_options *options);
/* Frees everything except the sockets, which libcurl may close later. */
void http_settings_clear(http_peer_settings *settings);

#endif
