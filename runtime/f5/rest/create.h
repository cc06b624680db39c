/* How an object is created: on its collection with a name in the body, or through a reference that
 * has its name. */
#ifndef F5_CREATE_H
#define F5_CREATE_H

#include <lua.h>

/* ref:create{properties} -> the new object */
int create_lua(lua_State *L);

#endif
