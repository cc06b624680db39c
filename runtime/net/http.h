/* HTTP/1.1 requests over libcurl's multi interface: bytes in, bytes out; knows nothing of F5 and
 * nothing of Lua.
 *
 * An http_peer says how a server is reached (URL base, TLS, proxy, time limits, parallel limit); an
 * http_request is one exchange with it. The owner fills the request, http_submit starts it, `done`
 * is called once from loop_turn with the result in place, also when it failed. libcurl and OpenSSL
 * are initialised by the first http_submit.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdint.h>

#include "net/http_options.h"
#include "net/http_request.h"
#include "net/loop.h"

typedef struct http_peer http_peer; /* reference-counted, opaque */

http_peer *http_peer_new(loop *l, const http_peer_options *options); /* NULL without memory */
http_peer *http_peer_retain(http_peer *peer);
void http_peer_release(http_peer *peer); /* closes idle connections with the last reference */

/* Starts (or queues, behind the peer's parallel limit) the request. Never calls done before it
 * returns. */
void http_submit(http_peer *peer, http_request *request);
/* Ends it without calling done; nothing if it is not running. */
void http_cancel(http_request *request);

/* Connections opened since the start; a spec asserts reuse with it. */
uint64_t http_connections_opened(const loop *l);

#endif
