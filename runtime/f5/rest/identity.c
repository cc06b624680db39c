#include "f5/rest/identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/push_owned.h"
#include "f5/rest/uri.h"

/* The part of a full name that follows its folders. */
static const char *last_part(const char *name, size_t *length) {
  for (size_t i = *length; i > 0; i--)
    if (name[i - 1] == '/') {
      *length -= i;
      return name + i;
    }
  return name;
}

/* Of a name that is an address: the length of the IPv4 address at its start. */
static size_t address_length(const char *name, size_t length) {
  size_t digits = 0, dots = 0;
  for (; digits < length; digits++) {
    char c = name[digits];
    if (c == '.')
      dots++;
    else if (c < '0' || c > '9')
      break;
  }
  return dots == 3 ? digits : 0;
}

/* Whether two names may be those of one object. */
static bool may_be_same(const char *a, size_t a_length, const char *b, size_t b_length) {
  a = last_part(a, &a_length);
  b = last_part(b, &b_length);
  size_t a_address = address_length(a, a_length), b_address = address_length(b, b_length);
  if (a_address && b_address) return a_address == b_address && memcmp(a, b, a_address) == 0;
  if (memchr(a, ':', a_length) || memchr(b, ':', b_length)) return true; /* IPv6, server:name */
  size_t shorter = a_length < b_length ? a_length : b_length;
  return shorter > 0 && (strncasecmp(a, b, shorter) == 0 ||
                         strncasecmp(a + a_length - shorter, b + b_length - shorter, shorter) == 0);
}

static bool is_array(lua_State *L) {
  if (!lua_getmetatable(L, -1)) return false;
  json_push_array_metatable(L);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2); /* metatables */
  return same;
}

static bool is_empty_object(lua_State *L) {
  if (!lua_istable(L, -1) || is_array(L)) return false;
  lua_pushnil(L);
  if (!lua_next(L, -2)) return true;
  lua_pop(L, 2); /* key, value */
  return false;
}

/* Raises if the answer on top is a list. Devices answer objects, also with the items of a list. */
static void check_object(lua_State *L, f5_operation *op) {
  if (is_array(L)) operation_refuse(L, op, "the answer is a list, not an object");
}

void identity_check_name(lua_State *L, f5_operation *op, const char *name, size_t length) {
  check_object(L, op);
  if (is_empty_object(L)) operation_refuse(L, op, "the answer is an empty object, not '%s'", name);
  if (!lua_istable(L, -1)) return;
  lua_pushliteral(L, "name");
  if (lua_rawget(L, -2) == LUA_TSTRING) {
    size_t is_length;
    const char *is = lua_tolstring(L, -1, &is_length);
    if (!may_be_same(name, length, is, is_length))
      operation_refuse(L, op, "the answer is about '%s', not '%s'", is, name);
  }
  lua_pop(L, 1); /* name of the answer */
}

/* Whether the answer on top may have the name that ends the path behind a `~`: the usual case. A
 * name with escapes in the path is left to identity_check_name. */
static bool has_name(lua_State *L, const char *path, size_t length) {
  const char *mark = memrchr(path, '~', length);
  if (!mark || !lua_istable(L, -1)) return false;
  const char *asked = mark + 1;
  size_t asked_length = length - (size_t)(asked - path);
  if (memchr(asked, '/', asked_length) || memchr(asked, '%', asked_length)) return false;
  lua_pushliteral(L, "name");
  size_t name_length;
  const char *name = lua_rawget(L, -2) == LUA_TSTRING ? lua_tolstring(L, -1, &name_length) : NULL;
  bool same = name && may_be_same(asked, asked_length, name, name_length);
  lua_pop(L, 1); /* name */
  return same;
}

/* Whether a segment of the path is the component in a kind: "pool" in "tm:ltm:pool:poolstate". */
static bool is_component(const char *segment, size_t length, const char *kind) {
  const char *colon = strrchr(kind, ':');
  return colon && (size_t)(colon - kind) > length && colon[-1 - (ptrdiff_t)length] == ':' &&
         memcmp(colon - length, segment, length) == 0 && strncmp(colon + 1, segment, length) == 0 &&
         strcmp(colon + 1 + length, "state") == 0;
}

/* Whether the path ends with a collection and a name, as the kind of the answer on top shows. The
 * path of a singleton, and that of a collection, end with the component. */
static bool ends_with_name(lua_State *L, const char *path, const char *last) {
  if (*last == '~') return last[1] != '\0';
  if (!lua_istable(L, -1) || last - path < 2) return false;
  const char *end = last - 1, *parent = end;
  while (parent > path && parent[-1] != '/')
    parent--;
  lua_pushliteral(L, "kind");
  const char *kind = lua_rawget(L, -2) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  bool found = kind && is_component(parent, (size_t)(end - parent), kind);
  lua_pop(L, 1); /* kind */
  return found;
}

void identity_check_path(lua_State *L, f5_operation *op) {
  const char *path = op->call.http.path;
  size_t length = strcspn(path, "?");
  if (!uri_is_configuration(path)) return;
  check_object(L, op);
  if (has_name(L, path, length)) return;
  const char *select = strstr(path + length, "$select");
  if (select && !strstr(select, "$select=name")) return;
  const char *last = path + length;
  while (last > path && last[-1] != '/')
    last--;
  if (!ends_with_name(L, path, last)) {
    if (!select && is_empty_object(L)) operation_refuse(L, op, "the answer is an empty object");
    return;
  }
  text name = {0};
  uri_last_name(path, length, &name);
  push_owned_text(L, &name);
  lua_insert(L, -2);
  size_t name_length;
  const char *wanted = lua_tolstring(L, -2, &name_length);
  identity_check_name(L, op, wanted, name_length);
  lua_remove(L, -2); /* name */
}

int identity_command(lua_State *L, int status, lua_KContext context) {
  (void)status;
  f5_operation *op = (f5_operation *)context;
  operation_result(L, op);
  if (uri_is_configuration(op->call.http.path)) check_object(L, op);
  call_clear(&op->call);
  return 1;
}

int identity_answer(lua_State *L, int status, lua_KContext context) {
  (void)status;
  f5_operation *op = (f5_operation *)context;
  operation_result(L, op);
  identity_check_path(L, op);
  call_clear(&op->call);
  return 1;
}
