/* A certificate for a server that no CA knows: created at the start, and signed by a CA created for
 * it. */
#ifndef SIM_CERTIFICATE_H
#define SIM_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

/* A CA, and the key of all its servers (EC P-256). */
typedef struct sim_authority sim_authority;

/* Creates a CA and writes its certificate as PEM to a new temporary file, in memory if there is no
 * directory for one; the name of the file goes to path. NULL and a message on failure. */
sim_authority *sim_authority_new(char *path, size_t path_size, char *error, size_t error_size);
void sim_authority_free(sim_authority *authority); /* may be NULL; the file stays */

/* Sets the key and a certificate for localhost, 127.0.0.1, ::1, `address` and `hostname` (may be
 * NULL): for all connections, or for one whose handshake has just begun. */
bool sim_authority_certify(const sim_authority *authority, SSL_CTX *ctx, const char *hostname,
                           const char *address);
bool sim_authority_certify_connection(const sim_authority *authority, SSL *ssl,
                                      const char *address);

#endif
