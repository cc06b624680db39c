/* Checks the certificate files and the pin that f5.connect is given, before anything is sent.
 * libcurl would report problems at the first connection only, with the messages of OpenSSL. */
#ifndef F5_TRUST_H
#define F5_TRUST_H

#include <lua.h>

#include "net/http.h"

/* Raises a usage error that names the option if one of ca, cert, key and pin cannot be used:
 * missing, not readable, not a regular file, not PEM, truncated, a key of another certificate or
 * with a passphrase, an invalid pin. */
void trust_check(lua_State *L, const http_peer_options *peer);

#endif
