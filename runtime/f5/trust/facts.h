/* What a person has to see of a certificate before trusting it. */
#ifndef F5_FACTS_H
#define F5_FACTS_H

#include <lua.h>

#include <openssl/x509.h>

/* Pushes { subject, issuer, names (array), starts, ends (seconds since 1970), fingerprint, pin, pem
 * }; nil if the certificate cannot be read. */
void facts_push(lua_State *L, X509 *certificate);
/* Lua: certificate_facts(pem) -> that table; nil if the text is no certificate in PEM */
int facts_lua(lua_State *L);

#endif
