/* The options of a call as a query string: select, filter, top, skip, expand, options, ver,
 * orderby, inlinecount, query, page. */
#ifndef F5_QUERY_H
#define F5_QUERY_H

#include <stdbool.h>

#include <lua.h>

#include "base/text.h"
#include "f5/rest/reference.h"

/* For list and each. */
typedef struct query_page {
  lua_Integer default_size; /* set by the caller: the default number of objects per page, 0: all in
                               one page */
  lua_Integer top;          /* the option of that name; -1: not given */
} query_page;

/* Appends the query of a call on this reference: its own query, the table of options at index (nil,
 * none and 0 are allowed) and ver. `page` is for list and each, which also accept the option
 * `page`; otherwise NULL. Raises usage errors.
 */
void query_add(lua_State *L, text *path, const f5_reference *ref, int index, query_page *page);
/* Appends a parameter whose value is a number. */
void query_add_count(lua_State *L, text *path, const char *parameter, lua_Integer value);
/* Appends the members of the table at index, sorted by name: parameters that have no option. */
void query_add_raw(lua_State *L, text *path, int index);
/* Returns whether a call on this reference without options has the reference's text as its path. */
bool query_is_plain(lua_State *L, const f5_reference *ref, int index);

#endif
