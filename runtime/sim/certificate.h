/* A certificate for a server that nobody has ever heard of: made at start, signed by a CA made for it. */
#ifndef SIM_CERTIFICATE_H
#define SIM_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

/* Puts a new certificate (EC P-256; localhost, 127.0.0.1, ::1, `address` and `hostname`, which may be NULL) and its key
 * into ctx and writes the CA's certificate as PEM to a new temporary file, whose name goes to path. False and a message
 * on failure. */
bool sim_certificate_make(SSL_CTX *ctx, const char *hostname, const char *address, char *path, size_t path_size,
                          char *error, size_t error_size);

#endif
