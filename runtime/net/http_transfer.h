/* One easy handle of libcurl: its options, its callbacks, and how its end is understood. */
#ifndef NET_HTTP_TRANSFER_H
#define NET_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "net/http_request.h"
#include "net/http_settings.h"
#include "net/transfer.h"

/* NULL if out of memory, or if libcurl refuses an option. Then error (CURL_ERROR_SIZE bytes) has
 * the reason. */
http_transfer *http_transfer_new(const http_peer_settings *settings, char *error);
void http_transfer_delete(http_transfer *transfer);
/* Sets up the handle for the request. It must not be bound to another one. */
bool http_transfer_bind(http_transfer *transfer, http_request *request,
                        const http_peer_settings *settings);
/* Moves the result of a finished exchange to the request, and unbinds it. */
void http_transfer_collect(http_transfer *transfer, CURLcode code);
/* Unbinds the request without a result. */
void http_transfer_unbind(http_transfer *transfer);
/* Whether OpenSSL has read bytes from the socket that nobody took: the socket will not announce
 * them. */
bool http_transfer_read_ahead(const http_transfer *transfer);
/* How many bytes were sent and received so far, without headers. */
void http_transfer_progress(const http_transfer *transfer, uint64_t *sent, uint64_t *received);

#endif
