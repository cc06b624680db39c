/* The JSON writer. What the values are: json.h. */
#ifndef BASE_JSON_ENCODE_H
#define BASE_JSON_ENCODE_H

#include <stdbool.h>

#include <lua.h>

typedef struct json_style {
  bool sort; /* keys in order: those of `first`, then by bytes; else as the table has them */
  const char *const *first; /* with sort: names that come first, NULL at the end; may be NULL */
  int indent;               /* 0: one line */
} json_style;

/* Encodes the value at index and pushes the text. A table is an array if it has the array metatable
 * or a non-empty sequence 1..n and nothing else; an empty table without it is an object. Tables are
 * read without metamethods. Raises a readable error (with the path of the offending value: "at
 * members[2].port") for functions and other values without JSON form, NaN, infinities, ill-formed
 * UTF-8, holes, mixed keys, cycles and depth. style may be NULL. */
void json_encode(lua_State *L, int index, const json_style *style);

#endif
