/* The methods of references that make one call: load, create, modify, replace, delete, exists, run,
 * example; and session:request. */
#ifndef F5_RESOURCE_H
#define F5_RESOURCE_H

#include <lua.h>

/* Adds the methods to the two tables. */
void resource_setup(lua_State *L, int session_methods, int reference_methods);

#endif
