#include "f5/rest/reference.h"

#include <string.h>

#include <lauxlib.h>

#include "base/metatable.h"
#include "base/push_owned.h"
#include "f5/report/error.h"
#include "f5/report/spelling.h"
#include "f5/rest/names.h"
#include "f5/rest/uri.h"
#include "f5/session/session_lua.h"

#define MAX_ID 256 /* bytes of an id that a device sends */
#define ROOT_LENGTH (sizeof URI_ROOT - 1)

static f5_reference *to_reference(lua_State *L, int index) {
  f5_reference *ref = luaL_testudata(L, index, REFERENCE_NAME);
  if (!ref) {
    if (luaL_testudata(L, index, SESSION_NAME))
      error_usage(L, "expected a reference, got a session: name an object or a collection, such as "
                     "bip.ltm.pool");
    error_usage(L, "expected a reference, got a %s: call methods with a colon, ref:load()",
                luaL_typename(L, index));
  }
  return ref;
}

f5_reference *reference_check(lua_State *L, int index) {
  f5_reference *ref = to_reference(L, index);
  lua_getiuservalue(L, index, 1);
  f5_session *const *box = lua_touserdata(L, -1);
  lua_pop(L, 1); /* session; the reference holds it */
  /* when a state closes, finalizers of the script may run after the session's */
  if (!*box) error_usage(L, "the session of %s is closed", ref->text);
  return ref;
}

/* Pushes a reference; the caller writes path and query, of these lengths, to its text. The sources
 * of both must not change here: the collector may run finalizers of the script. */
static f5_reference *push_empty(lua_State *L, int session, int transaction, size_t length,
                                size_t query_length) {
  session = lua_absindex(L, session);
  f5_reference *ref = lua_newuserdatauv(L, sizeof *ref + length + query_length + 1, 2);
  ref->session = *(f5_session **)lua_touserdata(L, session);
  ref->length = length;
  ref->ver[0] = '\0';
  ref->text[length + query_length] = '\0';
  lua_pushvalue(L, session);
  lua_setiuservalue(L, -2, 1);
  if (transaction) {
    lua_pushvalue(L, transaction);
    lua_setiuservalue(L, -2, 2);
  }
  luaL_setmetatable(L, REFERENCE_NAME);
  return ref;
}

f5_reference *reference_push(lua_State *L, int session, int transaction, const char *path,
                             size_t length, size_t query_length) {
  f5_reference *ref = push_empty(L, session, transaction, length, query_length);
  memcpy(ref->text, path, length + query_length);
  return ref;
}

const char *reference_version(const f5_reference *ref) {
  return ref->ver[0] ? ref->ver : ref->session->ver;
}

/* Copies the version of a link; raises if it is not like "16.1.0". */
static void take_version(lua_State *L, f5_reference *ref, const char *link, size_t length) {
  const char *version;
  size_t size = uri_version(link, length, &version);
  bool valid = size <= REFERENCE_VERSION;
  for (size_t i = 0; valid && i < size; i++)
    valid = (version[i] >= '0' && version[i] <= '9') || version[i] == '.';
  if (!valid) error_usage(L, "at: 'ver' must be a version such as 16.1.0: %s", link);
  if (size == 0) return;
  memcpy(ref->ver, version, size);
  ref->ver[size] = '\0';
}

/* Adapts the names to their kinds; the text has no query. */
static void fit(f5_reference *ref) {
  ref->length = names_fit(ref->text, ref->length);
  ref->text[ref->length] = '\0';
}

/* The upvalues of both __index: the table of methods and its metatable. */
enum { METHODS = 1, METATABLE };

static bool is_own(lua_State *L) {
  bool own = lua_getmetatable(L, 1) && lua_rawequal(L, -1, lua_upvalueindex(METATABLE));
  lua_settop(L, 2);
  return own;
}

/* Pushes the method of this name and returns 1; pushes nothing and returns 0 if there is none. */
static int method(lua_State *L) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(METHODS)) != LUA_TNIL) return 1;
  lua_pop(L, 1); /* nil */
  return 0;
}

static const char *check_name(lua_State *L, int index, size_t *length) {
  if (lua_type(L, index) != LUA_TSTRING)
    error_usage(L, "expected a string in the path, got a %s", luaL_typename(L, index));
  const char *name = lua_tolstring(L, index, length);
  if (*length == 0 || (*length == 1 && *name == '/'))
    error_usage(L, "invalid path: a name is empty");
  /* "/Common/" .. name with an empty name: must not become the folder */
  if (*name == '/' && name[*length - 1] == '/' && !uri_is_absolute(name, *length))
    error_usage(L, "invalid name '%s': nothing follows the last slash", name);
  if (*name == '/' && memchr(name, '~', *length) && !uri_is_absolute(name, *length))
    error_usage(L,
                "invalid name '%s': iControl REST writes '/' as '~', so it has no path for a name "
                "with '~'",
                name);
  if (uri_leads_up(name, *length))
    error_usage(L, "invalid name '%s': '.' and '..' would lead to another path", name);
  return name;
}

/* __index of sessions; its upvalue is the table of their methods. */
static int session_index(lua_State *L) {
  if (!is_own(L)) error_usage(L, "expected a session, got a %s", luaL_typename(L, 1));
  if (method(L)) return 1;
  size_t length;
  const char *name = check_name(L, 2, &length);
  size_t added = uri_write(NULL, name, length);
  f5_reference *ref = push_empty(L, 1, 0, ROOT_LENGTH + added, 0);
  memcpy(ref->text, URI_ROOT, ROOT_LENGTH);
  uri_write(ref->text + ROOT_LENGTH, name, length);
  return 1;
}

static int reference_index(lua_State *L) {
  if (!is_own(L)) error_usage(L, "expected a reference, got a %s", luaL_typename(L, 1));
  if (method(L)) return 1;
  const f5_reference *ref = lua_touserdata(L, 1);
  size_t length;
  const char *name = check_name(L, 2, &length);
  size_t added = uri_write(NULL, name, length);
  lua_getiuservalue(L, 1, 1);
  int transaction = lua_getiuservalue(L, 1, 2) == LUA_TNIL ? 0 : lua_gettop(L);
  f5_reference *below = push_empty(L, 3, transaction, ref->length + added, 0);
  memcpy(below->text, ref->text, ref->length);
  memcpy(below->ver, ref->ver, sizeof below->ver);
  uri_write(below->text + ref->length, name, length);
  fit(below);
  return 1;
}

/* Checks the arguments of `at` from 2 to count and converts integers to strings. Returns whether
 * the first is an absolute path. */
static bool check_names(lua_State *L, bool of_session, int count) {
  bool starts_anew = false;
  for (int i = 2; i <= count; i++) {
    size_t length;
    if (lua_isinteger(L, i)) lua_tostring(L, i);
    const char *name = check_name(L, i, &length);
    bool absolute = uri_is_absolute(name, length);
    if (!absolute && length > 8 && memcmp(name, "https://", 8) == 0)
      error_usage(L, "at: invalid link '%s': its path does not begin with /mgmt", name);
    if (absolute && (i > 2 || !of_session))
      error_usage(L, "at: '%s' is an absolute path: use session:at(\"%s\")", name, name);
    starts_anew = starts_anew || absolute;
  }
  return starts_anew;
}

/* Returns the length of the segments that the arguments from `first` to `count` make; writes them
 * to out unless it is NULL. */
static size_t write_names(lua_State *L, int first, int count, char *out) {
  size_t written = 0;
  for (int i = first; i <= count; i++) {
    size_t length;
    const char *name = lua_tolstring(L, i, &length);
    written += uri_write(out ? out + written : NULL, name, length);
  }
  return written;
}

/* session:at(URI or link, …) */
static int at_absolute(lua_State *L, int count) {
  text path = {0}, query = {0};
  size_t length;
  const char *start = lua_tolstring(L, 2, &length);
  uri_absolute(&path, &query, start, length);
  size_t added = write_names(L, 3, count, NULL);
  char *room = text_room(&path, added);
  if (room) write_names(L, 3, count, room);
  if (room && added) { /* a link alone stays as it is */
    path.length = names_fit(path.data, path.length);
    path.data[path.length] = '\0';
  }
  size_t path_length = path.length, query_length = query.length;
  text_join(&path, &query);
  text_free(&query);
  push_owned_text(L, &path);
  f5_reference *ref = reference_push(L, 1, 0, lua_tostring(L, -1), path_length, query_length);
  take_version(L, ref, start, length);
  return 1;
}

/* session:at(path, …), reference:at(path, …): each argument is used like an index, and may be the
 * name of a method. The first argument of a session may be an absolute URI or a link. Numbers may
 * be ids. */
int reference_lua_at(lua_State *L) {
  int count = lua_gettop(L), session = 1, transaction = 0;
  const f5_reference *ref = luaL_testudata(L, 1, REFERENCE_NAME);
  if (!ref) session_check(L, 1);
  if (count < 2) return error_usage(L, "at: a path is missing");
  if (check_names(L, !ref, count)) return at_absolute(L, count);
  if (ref) {
    lua_getiuservalue(L, 1, 1);
    session = lua_gettop(L);
    if (lua_getiuservalue(L, 1, 2) != LUA_TNIL) transaction = lua_gettop(L);
  }
  const char *start = ref ? ref->text : URI_ROOT;
  size_t length = ref ? ref->length : ROOT_LENGTH;
  size_t added = write_names(L, 2, count, NULL);
  f5_reference *below = push_empty(L, session, transaction, length + added, 0);
  memcpy(below->text, start, length);
  if (ref) memcpy(below->ver, ref->ver, sizeof below->ver);
  write_names(L, 2, count, below->text + length);
  fit(below);
  return 1;
}

int reference_lua_parent(lua_State *L) {
  const f5_reference *ref = reference_check(L, 1);
  text name = {0};
  size_t length = uri_last_name(ref->text, ref->length, &name);
  if (length <= ROOT_LENGTH) {
    text_free(&name);
    return error_usage(L, "%s is not the list of an object", ref->text);
  }
  push_owned_text(L, &name);
  int last = lua_gettop(L);
  lua_getiuservalue(L, 1, 1);
  int session = lua_gettop(L), transaction = 0;
  if (lua_getiuservalue(L, 1, 2) != LUA_TNIL) transaction = lua_gettop(L);
  f5_reference *parent = reference_push(L, session, transaction, ref->text, length, 0);
  memcpy(parent->ver, ref->ver, sizeof parent->ver);
  lua_pushvalue(L, last);
  return 2;
}

/* Returns whether the string is one segment of a path. */
static bool is_id(const char *id, size_t length) {
  if (!length || length > MAX_ID || memchr(id, '/', length) || uri_leads_up(id, length))
    return false;
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)id[i] < ' ' || id[i] == 0x7F) return false;
  return true;
}

int reference_lua_device_id(lua_State *L) {
  lua_settop(L, 1);
  if (lua_type(L, 1) == LUA_TNUMBER) {
    int whole = 0;
    lua_Integer number = lua_tointegerx(L, 1, &whole);
    lua_pushnil(L);
    if (whole) lua_pushinteger(L, number);
    return 1;
  }
  size_t length = 0;
  const char *id = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &length) : NULL;
  if (!id || !is_id(id, length)) lua_pushnil(L);
  return 1;
}

static int reference_tostring(lua_State *L) {
  lua_pushstring(L, to_reference(L, 1)->text);
  return 1;
}

static int reference_equal(lua_State *L) {
  const f5_reference *a = luaL_testudata(L, 1, REFERENCE_NAME),
                     *b = luaL_testudata(L, 2, REFERENCE_NAME);
  lua_pushboolean(L, a && b && a->session == b->session && strcmp(a->text, b->text) == 0);
  return 1;
}

static int read_only(lua_State *L) {
  const f5_reference *ref = to_reference(L, 1);
  return error_usage(
      L, "cannot set fields of a reference: call ref:modify{ %s = … } to change the device (%s)",
      luaL_tolstring(L, 2, NULL), ref->text);
}

/* The upvalues of __call: the methods of references and of sessions. */
enum { OF_REFERENCES = 1, OF_SESSIONS };

/* Raises an error for a method that does not exist, with the one that is probably meant. */
static int no_method(lua_State *L, const char *path) {
  const char *last = strrchr(path, '/');
  spelling s = {.name = last ? last + 1 : ""};
  bool of_session = luaL_testudata(L, 2, SESSION_NAME) != NULL;
  int methods = lua_upvalueindex(of_session ? OF_SESSIONS : OF_REFERENCES);
  for (lua_pushnil(L); lua_next(L, methods); lua_pop(L, 1)) {
    size_t length;
    const char *known = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &length) : NULL;
    if (known) spelling_offer(&s, known, length);
  }
  const char *what = of_session ? "session" : "reference";
  if (s.edits)
    return error_usage(L, "a %s has no method '%s'; did you mean '%s'? Its path is %s", what,
                       s.name, s.nearest, path);
  return error_usage(
      L, "a %s has no method '%s'; its path is %s (use :at(\"%s\") for a segment of this name)",
      what, s.name, path, s.name);
}

static int no_call(lua_State *L) {
  const f5_reference *ref = to_reference(L, 1);
  if (lua_gettop(L) == 3 && lua_isnil(L, 2) &&
      lua_isnil(L, 3)) /* the first call of a generic `for` */
    return error_usage(L, "cannot iterate over a reference: use for item in ref:each() do … (%s)",
                       ref->text);
  if (lua_type(L, 2) != LUA_TUSERDATA) { /* ref("x"); in ref:x() the first argument is ref */
    bool is_name = lua_type(L, 2) == LUA_TSTRING;
    return error_usage(L,
                       "a reference cannot be called: :at(\"%s\") leads to what is below it (%s)",
                       is_name ? lua_tostring(L, 2) : "NAME", ref->text);
  }
  return no_method(L, ref->text);
}

static int no_length(lua_State *L) {
  return error_usage(L,
                     "a reference has no length: #ref:list() counts the objects on the device (%s)",
                     to_reference(L, 1)->text);
}

static int no_pairs(lua_State *L) {
  return error_usage(L, "cannot use pairs on a reference: ref:each() iterates over a collection, "
                        "pairs(ref:load()) over an object");
}

int reference_lua_session(lua_State *L) {
  reference_check(L, 1);
  lua_getiuservalue(L, 1, 1);
  return 1;
}

void reference_setup(lua_State *L, int session_methods) {
  static const luaL_Reg events[] = {{"__tostring", reference_tostring},
                                    {"__eq", reference_equal},
                                    {"__newindex", read_only},
                                    {"__call", no_call},
                                    {"__len", no_length},
                                    {"__pairs", no_pairs},
                                    {NULL, NULL}};
  session_methods = lua_absindex(L, session_methods);
  luaL_getmetatable(L, SESSION_NAME);
  lua_pushvalue(L, session_methods);
  lua_pushvalue(L, -2); /* metatable */
  lua_pushcclosure(L, session_index, 2);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1); /* metatable of sessions */
  lua_newtable(L);
  luaL_newmetatable(L, REFERENCE_NAME);
  lua_pushvalue(L, -2); /* methods */
  lua_pushvalue(L, session_methods);
  luaL_setfuncs(L, events, 2);
  metatable_hide(L, "reference");
  lua_pushvalue(L, -2); /* methods */
  lua_pushvalue(L, -2); /* metatable */
  lua_pushcclosure(L, reference_index, 2);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1); /* metatable */
}
