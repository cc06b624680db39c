/* The address of a device, as the options of f5.connect have it. */
#ifndef F5_ADDRESS_H
#define F5_ADDRESS_H

#include <lua.h>

enum { ADDRESS_MAX = 256 };

/* Reads a port; `where` names its source. Raises a usage error for what is none. */
long address_port(lua_State *L, const char *digits, const char *where);
/* Splits "host", "host:port", "[v6]", "[v6]:port" or "v6", each with an optional "https://". Sets
 * the port only if it is there. Raises a usage error for anything else. */
void address_split(lua_State *L, const char *given, char address[ADDRESS_MAX], long *number);

#endif
