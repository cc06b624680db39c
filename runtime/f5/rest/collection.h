/* list and each: read collections page by page. */
#ifndef F5_COLLECTION_H
#define F5_COLLECTION_H

#include <lua.h>

/* Adds both to the table of methods of references. */
void collection_setup(lua_State *L, int reference_methods);

#endif
