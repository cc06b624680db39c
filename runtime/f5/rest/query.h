/* The options of a call as a query string: select, filter, top, skip, expand, options, ver,
 * orderby, inlinecount, query, page. */
#ifndef F5_QUERY_H
#define F5_QUERY_H

#include <stdbool.h>

#include <lua.h>

#include "base/text.h"
#include "f5/rest/reference.h"

/* Of list and each. */
typedef struct query_page {
  lua_Integer
      usual; /* set by the caller: objects a page when the options do not say, 0: all at once */
  lua_Integer top; /* the option of that name; -1: not given */
} query_page;

/* Appends the query of a call on this reference: its own, the table of options at index (nil, none
 * and 0 are fine) and the session's ver. `page` is for list and each, which take the option `page`
 * too; NULL elsewhere. Raises usage errors.
 */
void query_add(lua_State *L, text *path, const f5_reference *ref, int index, query_page *page);
/* Appends the members of the table at index, sorted by name: what options do not cover. */
void query_add_raw(lua_State *L, text *path, int index);
/* Whether a call on this reference without options has the reference's own text as its path. */
bool query_is_plain(lua_State *L, const f5_reference *ref, int index);

#endif
