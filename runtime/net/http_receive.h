/* Receives an answer: its header, and its body to memory or to a file. */
#ifndef NET_HTTP_RECEIVE_H
#define NET_HTTP_RECEIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/transfer.h"

/* CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION. `user` is the http_transfer. */
size_t http_receive_body(char *data, size_t one, size_t length, void *user);
size_t http_receive_header(char *data, size_t one, size_t length, void *user);

/* Writes what is left of a body to its file. */
bool http_receive_flush(http_transfer *transfer);
/* Ends the answer in memory with a NUL; an empty one, too. */
bool http_receive_terminate(http_transfer *transfer);

/* The largest length that the body of this answer may have. */
uint64_t http_receive_limit(const http_transfer *transfer);

#endif
