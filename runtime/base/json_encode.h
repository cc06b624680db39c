/* The JSON writer. json.h describes the values. */
#ifndef BASE_JSON_ENCODE_H
#define BASE_JSON_ENCODE_H

#include <stdbool.h>

#include <lua.h>

typedef struct json_style {
  /* Sort the keys: first those in `first`, then by bytes. Otherwise they come in the order of the
   * table. */
  bool sort;
  /* With sort: the names that come first, ended by NULL. May be NULL. */
  const char *const *first;
  int indent; /* spaces for each level; 0: everything on one line */
} json_style;

/* Encodes the value at index and pushes the text. A table is an array if it has the array
 * metatable, or if its keys are exactly 1..n with n > 0. An empty table without the metatable is an
 * object. Metamethods are not used. Raises an error with the path of the value ("at
 * members[2].port") for functions and other values without JSON form, NaN, infinities, ill-formed
 * UTF-8, holes, mixed keys, cycles and too deep nesting. style may be NULL. */
void json_encode(lua_State *L, int index, const json_style *style);

#endif
