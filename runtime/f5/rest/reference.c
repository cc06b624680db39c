#include "f5/rest/reference.h"

#include <string.h>

#include <lauxlib.h>

#include "base/push_owned.h"
#include "f5/rest/uri.h"

f5_reference *reference_check(lua_State *L, int index) {
  f5_reference *ref = luaL_testudata(L, index, REFERENCE_NAME);
  if (!ref) {
    if (luaL_testudata(L, index, SESSION_NAME))
      error_usage(
          L, "a session itself is nothing to load or change; name something on it: bip.ltm.pool");
    error_usage(L, "a reference is wanted here, not a %s: call methods with a colon, ref:load()",
                luaL_typename(L, index));
  }
  return ref;
}

void reference_push(lua_State *L, int session, int transaction, const text *path,
                    const text *query) {
  session = lua_absindex(L, session);
  if (path->failed || (query && query->failed)) luaL_error(L, "not enough memory");
  size_t query_length = query ? query->length : 0;
  f5_reference *ref = lua_newuserdatauv(L, sizeof *ref + path->length + query_length + 1, 2);
  ref->session = *(f5_session **)lua_touserdata(L, session);
  ref->length = path->length;
  memcpy(ref->text, text_string(path), path->length);
  if (query_length) memcpy(ref->text + path->length, query->data, query_length);
  ref->text[path->length + query_length] = '\0';
  lua_pushvalue(L, session);
  lua_setiuservalue(L, -2, 1);
  if (transaction) {
    lua_pushvalue(L, transaction);
    lua_setiuservalue(L, -2, 2);
  }
  luaL_setmetatable(L, REFERENCE_NAME);
}

/* The method of this name if there is one (then 1 is returned), else nothing is pushed. */
static int method(lua_State *L) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  lua_pop(L, 1); /* nil */
  return 0;
}

static const char *check_name(lua_State *L, int index, size_t *length) {
  if (lua_type(L, index) != LUA_TSTRING)
    error_usage(L, "a path is made of strings, not of a %s", luaL_typename(L, index));
  const char *name = lua_tolstring(L, index, length);
  if (*length == 0 || (*length == 1 && *name == '/'))
    error_usage(L, "an empty name is no part of a path");
  /* "/Common/" .. name with an empty name: must not become the folder */
  if (*name == '/' && name[*length - 1] == '/' && !uri_is_absolute(name, *length))
    error_usage(L, "'%s' names nothing behind its last slash", name);
  return name;
}

/* The text in which a path is put together, empty. */
static text *scratch(lua_State *L, const f5_session *session) {
  if (!session->core)
    error_usage(L, "the session with %s is closed", session->label); /* and the program is ending */
  text_clear(&session->core->scratch);
  return &session->core->scratch;
}

int session_index(lua_State *L) {
  if (method(L)) return 1;
  f5_session *session = *(f5_session **)lua_touserdata(L, 1);
  size_t length;
  const char *name = check_name(L, 2, &length);
  text *path = scratch(L, session);
  text_put(path, URI_ROOT);
  uri_add(path, name, length);
  reference_push(L, 1, 0, path, NULL);
  return 1;
}

static int reference_index(lua_State *L) {
  if (method(L)) return 1;
  const f5_reference *ref = lua_touserdata(L, 1);
  size_t length;
  const char *name = check_name(L, 2, &length);
  text *path = scratch(L, ref->session);
  text_add(path, ref->text, ref->length);
  uri_add(path, name, length);
  lua_getiuservalue(L, 1, 1);
  int transaction = lua_getiuservalue(L, 1, 2) == LUA_TNIL ? 0 : lua_gettop(L);
  reference_push(L, 3, transaction, path, NULL);
  return 1;
}

/* session:at(path, …), reference:at(path, …): each argument as an index, and also reaches what a
 * method's name hides. A session's first may be a whole URI or a link. Numbers may be ids. */
int reference_lua_at(lua_State *L) {
  int count = lua_gettop(L), session = 1, transaction = 0;
  const f5_reference *ref = luaL_testudata(L, 1, REFERENCE_NAME);
  const f5_session *on = ref ? ref->session : session_check(L, 1);
  if (count < 2) return error_usage(L, "at: a path is missing");
  text *path = scratch(L, on), query = {0};
  text_put(path, URI_ROOT);
  if (ref) {
    text_clear(path);
    text_add(path, ref->text, ref->length);
    lua_getiuservalue(L, 1, 1);
    session = lua_gettop(L);
    if (lua_getiuservalue(L, 1, 2) != LUA_TNIL) transaction = lua_gettop(L);
  }
  for (int i = 2; i <= count; i++) {
    size_t length;
    if (lua_isinteger(L, i)) lua_tostring(L, i);
    const char *name = check_name(L, i, &length);
    bool absolute = uri_is_absolute(name, length);
    if (!absolute && length > 8 && memcmp(name, "https://", 8) == 0)
      return error_usage(L, "at: '%s' is no link of a device: its path does not begin with /mgmt",
                         name);
    if (!absolute) {
      uri_add(path, name, length);
    } else if (i == 2 && !ref) {
      text_clear(path);
      uri_absolute(path, &query, name, length);
    } else {
      return error_usage(
          L, "at: '%s' is a whole path, which only a session can start from: session:at(\"%s\")",
          name, name);
    }
  }
  push_owned_text(L, &query);
  size_t query_length;
  const char *kept = lua_tolstring(L, -1, &query_length);
  reference_push(L, session, transaction, path,
                 &(text){.data = (char *)kept, .length = query_length});
  return 1;
}

static int reference_tostring(lua_State *L) {
  lua_pushstring(L, reference_check(L, 1)->text);
  return 1;
}

static int reference_equal(lua_State *L) {
  const f5_reference *a = luaL_testudata(L, 1, REFERENCE_NAME),
                     *b = luaL_testudata(L, 2, REFERENCE_NAME);
  lua_pushboolean(L, a && b && a->session == b->session && strcmp(a->text, b->text) == 0);
  return 1;
}

static int read_only(lua_State *L) {
  const f5_reference *ref = reference_check(L, 1);
  return error_usage(
      L, "a reference holds no state: to change the device call ref:modify{ %s = … } (%s)",
      luaL_tolstring(L, 2, NULL), ref->text);
}

static int no_call(lua_State *L) {
  const f5_reference *ref = reference_check(L, 1);
  if (lua_gettop(L) == 3 && lua_isnil(L, 2) &&
      lua_isnil(L, 3)) /* what a generic `for` begins with */
    return error_usage(L, "a reference is no iterator: for item in ref:each() do … (%s)",
                       ref->text);
  const char *last = strrchr(ref->text, '/');
  return error_usage(L,
                     "a reference has no method '%s'; its path is %s (a segment with that name is "
                     "reached by :at(\"%s\"))",
                     last ? last + 1 : "", ref->text, last ? last + 1 : "");
}

static int no_length(lua_State *L) {
  return error_usage(L,
                     "a reference has no length: #ref:list() counts the objects on the device (%s)",
                     reference_check(L, 1)->text);
}

static int no_pairs(lua_State *L) {
  return error_usage(
      L, "a reference holds nothing to go through: ref:each() iterates over a collection, "
         "pairs(ref:load()) over an object");
}

void reference_setup(lua_State *L) {
  static const luaL_Reg events[] = {{"__tostring", reference_tostring},
                                    {"__eq", reference_equal},
                                    {"__newindex", read_only},
                                    {"__call", no_call},
                                    {"__len", no_length},
                                    {"__pairs", no_pairs},
                                    {NULL, NULL}};
  lua_newtable(L);
  luaL_newmetatable(L, REFERENCE_NAME);
  luaL_setfuncs(L, events, 0);
  lua_pushvalue(L, -2); /* methods */
  lua_pushcclosure(L, reference_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1); /* metatable */
}
