/* Lua values as parameters of statements, and results of statements as Lua values. */
#ifndef POSTGRES_VALUES_H
#define POSTGRES_VALUES_H

#include <lua.h>

#include "postgres/connection.h"

/* Makes a statement of the text at this index and all values behind it, which are its parameters.
 * Raises if a value cannot be a parameter, or if memory runs out. */
pq_statement *pq_statement_new(lua_State *L, int at_text);

/* Pushes the rows of a result: a list of tables, by the names of the columns; NULL is nil.
 * `affected` is how many rows a statement has changed. */
void pq_push_rows(lua_State *L, const PGresult *result);

/* Pushes a table that describes what failed. */
void pq_push_failure(lua_State *L, const pq_statement *s);

#endif
