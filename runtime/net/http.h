/* HTTP/1.1 requests over libcurl's multi interface. Knows nothing about F5 and Lua.
 *
 * An http_peer describes how to reach a server: base URL, TLS, proxy, time limits, parallel limit.
 * An http_request is one exchange with it. Fill in the request and call http_submit. Then loop_turn
 * calls `done` once, with the result in the request, even if the exchange failed. The first
 * http_submit initialises libcurl and OpenSSL. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdint.h>

#include "net/http_options.h"
#include "net/http_request.h"
#include "net/http_trust.h"
#include "net/loop.h"

typedef struct http_peer http_peer; /* reference-counted, opaque */

http_peer *http_peer_new(loop *l, const http_peer_options *options);
/* How it is reached, with the defaults; valid as long as the peer. */
const http_peer_options *http_peer_options_of(const http_peer *peer); /* NULL if out of memory */
/* What is known of its certificate; NULL if neither a pin nor `wanted` nor keep_certificate is set.
 */
const http_trust *http_peer_trust(const http_peer *peer);
http_peer *http_peer_retain(http_peer *peer);
void http_peer_release(http_peer *peer); /* the last reference also closes idle connections */

/* From now on a function answers the requests of the peer, and nothing is sent. It fills in the
 * result: `failure` and `error`, or `status`, `answer` (with a NUL behind it) and `answer_headers`,
 * which the request then owns. It must not submit or cancel requests. */
void http_peer_answer(http_peer *peer, void (*answer)(void *data, http_request *request),
                      void *data);

/* Starts the request, or queues it if the peer's parallel limit is reached. Never calls `done`
 * before it returns. */
void http_submit(http_peer *peer, http_request *request);
/* Ends the request without calling `done`. Does nothing if it is not running. */
void http_cancel(http_request *request);

/* How many connections were opened so far. Tests use it to check that connections are reused. */
uint64_t http_connections_opened(const loop *l);

#endif
