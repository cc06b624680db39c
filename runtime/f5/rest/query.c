#include "f5/rest/query.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "f5/report/error.h"
#include "f5/rest/uri.h"

static const char *const names[] = {"select",      "filter",  "top", "skip",
                                    "expand",      "options", "ver", "orderby",
                                    "inlinecount", "query",   NULL};
static const char *const names_of_pages[] = {"select",      "filter",  "top",  "skip",
                                             "expand",      "options", "ver",  "orderby",
                                             "inlinecount", "query",   "page", NULL};

/* Pushes the value as a string: "a,b" for { "a", "b" }; a value with __tostring (an f5.filter) is
 * converted by it.
 */
static const char *list_value(lua_State *L, int index, const char *name, size_t *length) {
  index = lua_absindex(L, index);
  if (lua_type(L, index) == LUA_TSTRING) {
    lua_pushvalue(L, index);
    return lua_tolstring(L, -1, length);
  }
  if (luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
    lua_pop(L, 1); /* metamethod */
    return luaL_tolstring(L, index, length);
  }
  if (!lua_istable(L, index))
    error_usage(L, "option '%s' must be a string or a list of strings, not a %s", name,
                luaL_typename(L, index));
  lua_Integer count = luaL_len(L, index);
  if (count == 0) error_usage(L, "option '%s' is an empty list", name);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (lua_Integer i = 1; i <= count; i++) {
    if (lua_geti(L, index, i) != LUA_TSTRING)
      error_usage(L, "option '%s' must be a list of strings; item %d is a %s", name, (int)i,
                  luaL_typename(L, -1));
    luaL_addvalue(&b);
    if (i < count) luaL_addchar(&b, ',');
  }
  luaL_pushresult(&b);
  return lua_tolstring(L, -1, length);
}

static void add_list(lua_State *L, text *path, int table, const char *name, const char *parameter) {
  if (lua_getfield(L, table, name) != LUA_TNIL) {
    size_t length;
    const char *value = list_value(L, -1, name, &length);
    uri_query(path, parameter, value, length);
    lua_pop(L, 1); /* string */
  }
  lua_pop(L, 1); /* value */
}

/* filter: a string, sent unchanged, or conditions, which f5.filter writes. It knows how to quote
 * values, and what the device supports at this path. */
static void add_filter(lua_State *L, text *path, int table, const f5_reference *ref) {
  size_t length;
  int type = lua_getfield(L, table, "filter");
  if (type == LUA_TTABLE) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, "f5.filter") == LUA_TNIL) {
      lua_getglobal(L, "require");
      lua_pushliteral(L, "f5.filter");
      lua_call(L, 1, 1);
      lua_replace(L, -2);
    }
    lua_getfield(L, -1, "text");
    lua_pushvalue(L, -4); /* conditions */
    lua_pushlstring(L, ref->text, ref->length);
    lua_call(L, 2, 1);
    const char *value = lua_tolstring(L, -1, &length);
    uri_query(path, "$filter", value, length);
    lua_pop(L, 3); /* text, f5.filter, loaded */
  } else if (type != LUA_TNIL) {
    if (type != LUA_TSTRING)
      error_usage(L, "option 'filter' must be a string or conditions, not a %s",
                  luaL_typename(L, -1));
    const char *value = lua_tolstring(L, -1, &length);
    uri_query(path, "$filter", value, length);
  }
  lua_pop(L, 1); /* filter */
}

static lua_Integer count_option(lua_State *L, int table, const char *name, lua_Integer min) {
  int type = lua_getfield(L, table, name), exact = 0;
  lua_Integer value = type == LUA_TNIL ? -1 : lua_tointegerx(L, -1, &exact);
  lua_pop(L, 1); /* value */
  if (type != LUA_TNIL && (type != LUA_TNUMBER || !exact || value < min))
    error_usage(L, "option '%s' must be a whole number of at least %d", name, (int)min);
  return value;
}

void query_add_count(lua_State *L, text *path, const char *parameter, lua_Integer value) {
  size_t length;
  lua_pushinteger(L, value);
  const char *digits = lua_tolstring(L, -1, &length);
  uri_query(path, parameter, digits, length);
  lua_pop(L, 1); /* value */
}

static void add_count_given(lua_State *L, text *path, const char *parameter, lua_Integer value) {
  if (value >= 0) query_add_count(L, path, parameter, value);
}

/* expand = true stands for expandSubcollections; a name or names for OData's $expand, which ASM
 * supports. */
static void add_expand(lua_State *L, text *path, int table) {
  int type = lua_getfield(L, table, "expand");
  if (type == LUA_TBOOLEAN && lua_toboolean(L, -1))
    uri_query(path, "expandSubcollections", "true", 4);
  lua_pop(L, 1); /* expand */
  if (type != LUA_TNIL && type != LUA_TBOOLEAN) add_list(L, path, table, "expand", "$expand");
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Pushes a list of the table's names. The list is counted and sorted instead of the table, because
 * finalizers that the collector runs may change the table. */
static void push_names(lua_State *L, int table) {
  lua_Integer count = 0;
  lua_newtable(L);
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      error_usage(L, "the names in option 'query' must be strings");
    lua_pushvalue(L, -2);
    lua_rawseti(L, -4, ++count);
  }
}

void query_add_raw(lua_State *L, text *path, int index) {
  index = lua_absindex(L, index);
  if (!lua_istable(L, index))
    error_usage(L, "option 'query' must be a table, not a %s", luaL_typename(L, index));
  push_names(L, index);
  size_t count = lua_rawlen(L, -1);
  const char **sorted = lua_newuserdatauv(L, count * sizeof *sorted, 0);
  for (size_t at = 0; at < count; at++) {
    lua_rawgeti(L, -2, (lua_Integer)at + 1);
    sorted[at] = lua_tostring(L, -1);
    lua_pop(L, 1); /* name; the list holds it */
  }
  qsort(sorted, count, sizeof *sorted, by_name);
  for (size_t at = 0; at < count; at++) {
    size_t length;
    lua_getfield(L, index, sorted[at]);
    if (!lua_isstring(L, -1) && !lua_isboolean(L, -1))
      error_usage(L, "option 'query': '%s' must be a string, a number or a boolean", sorted[at]);
    const char *value = luaL_tolstring(L, -1, &length);
    uri_query(path, sorted[at], value, length);
    lua_pop(L, 2); /* string, value */
  }
  lua_pop(L, 2); /* sorted, list */
}

static void check_names(lua_State *L, int table, const char *const *known) {
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    bool found = false;
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
    if (!name) error_usage(L, "expected options with names, such as { select = { \"name\" } }");
    for (const char *const *at = known; *at; at++)
      found = found || strcmp(*at, name) == 0;
    if (!found) error_unknown(L, "option", name, known);
  }
}

bool query_is_plain(lua_State *L, const f5_reference *ref, int index) {
  return (index == 0 || lua_isnoneornil(L, index)) && !reference_version(ref);
}

void query_add(lua_State *L, text *path, const f5_reference *ref, int index, query_page *page) {
  text_put(path, ref->text + ref->length);
  bool has_ver = false, given = index != 0 && !lua_isnoneornil(L, index);
  lua_Integer top = -1, size = -1;
  if (given) {
    if (!lua_istable(L, index))
      error_usage(L, "expected a table of options, got a %s", luaL_typename(L, index));
    check_names(L, index, page ? names_of_pages : names);
    add_list(L, path, index, "select", "$select");
    add_filter(L, path, index, ref);
    add_list(L, path, index, "orderby", "$orderby");
    add_expand(L, path, index);
    add_list(L, path, index, "options", "options");
    add_list(L, path, index, "inlinecount", "$inlinecount");
    top = count_option(L, index, "top", 0);
    if (page) size = count_option(L, index, "page", 1);
  }
  if (page) {
    page->top = top;
    if (size < 0 && !uri_is_extension(ref->text)) size = page->default_size;
    if (top >= 0 && (size == 0 || top < size)) size = top;
    /* a reference made from a nextLink already has a page size */
    if (size > 0 && !strstr(ref->text + ref->length, "$top="))
      query_add_count(L, path, "$top", size);
  } else {
    add_count_given(L, path, "$top", top);
  }
  if (given) {
    add_count_given(L, path, "$skip", count_option(L, index, "skip", 0));
    if (lua_getfield(L, index, "query") != LUA_TNIL) query_add_raw(L, path, -1);
    lua_pop(L, 1); /* query */
    has_ver = lua_getfield(L, index, "ver") != LUA_TNIL;
    lua_pop(L, 1); /* ver */
    if (has_ver) add_list(L, path, index, "ver", "ver");
  }
  const char *version = reference_version(ref);
  if (!has_ver && version) uri_query(path, "ver", version, strlen(version));
}
