/* list and each: collections, page after page. */
#ifndef F5_COLLECTION_H
#define F5_COLLECTION_H

#include <lua.h>

/* Adds both to the references' table of methods. */
void collection_setup(lua_State *L, int reference_methods);

#endif
