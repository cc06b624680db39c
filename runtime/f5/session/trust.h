/* The files and the pin that f5.connect is given: what a device is known by, and what it knows us
 * by. libcurl would complain of them at the first connection, in words of OpenSSL's; here they are
 * looked at before anything is sent. */
#ifndef F5_TRUST_H
#define F5_TRUST_H

#include <lua.h>

#include "net/http.h"

/* Raises a usage error that names the option if one of ca, cert, key and pin cannot be what it is
 * meant to be: not there, not readable, no regular file, not PEM, cut off, a key of another
 * certificate or behind a passphrase, a pin that is no digest. */
void trust_check(lua_State *L, const http_peer_options *peer);

#endif
