/* A certificate for a server that nobody has ever heard of: made at start, signed by a CA made for
 * it. */
#ifndef SIM_CERTIFICATE_H
#define SIM_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

/* A CA and the key that all its servers have (EC P-256). */
typedef struct sim_authority sim_authority;

/* Makes one and writes its certificate as PEM to a new temporary file, whose name goes to path.
 * NULL and a message on failure. */
sim_authority *sim_authority_new(char *path, size_t path_size, char *error, size_t error_size);
void sim_authority_free(sim_authority *authority); /* NULL is fine; the file stays */

/* A certificate for localhost, 127.0.0.1, ::1, `address` and `hostname` (which may be NULL), and
 * the key: for all connections, or for one whose handshake has just begun. */
bool sim_authority_certify(const sim_authority *authority, SSL_CTX *ctx, const char *hostname,
                           const char *address);
bool sim_authority_certify_connection(const sim_authority *authority, SSL *ssl,
                                      const char *address);

#endif
