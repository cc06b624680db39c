#include "f5/rest/create.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/push_owned.h"
#include "f5/change/transaction.h"
#include "f5/report/error.h"
#include "f5/rest/identity.h"
#include "f5/rest/names.h"
#include "f5/rest/query.h"
#include "f5/rest/reference.h"
#include "f5/rest/uri.h"
#include "f5/session/operation.h"

#define COLLECTION_KIND "collectionstate"

/* Sets a member of the new body (on top) from the path; the script's body may contain the same
 * value. */
static void name_member(lua_State *L, const char *member, const char *value, size_t length) {
  if (lua_getfield(L, 2, member) != LUA_TNIL) {
    size_t given_length;
    const char *given = lua_tolstring(L, -1, &given_length);
    if (!given || given_length != length || memcmp(given, value, length) != 0)
      error_usage(L, "create: %s = \"%s\" contradicts the path: name the object only once", member,
                  given ? given : luaL_typename(L, -1));
  }
  lua_pop(L, 1); /* value */
  lua_pushlstring(L, value, length);
  lua_setfield(L, -2, member);
}

/* Pushes a copy of the body. */
static void push_copy(lua_State *L) {
  lua_newtable(L);
  for (lua_pushnil(L); lua_next(L, 2);) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
}

/* Sets name, partition and subPath of a full name in the body on top: "/Common/dir/web" is web in
 * Common below dir, "/part" is the folder part in the root. */
static void add_full_name(lua_State *L, const char *full, size_t length) {
  const char *last = full + length;
  while (last[-1] != '/')
    last--;
  const char *partition = full + 1, *end = memchr(partition, '/', length - 1);
  size_t name_length = (size_t)(full + length - last);
  bool named = lua_getfield(L, 2, "name") == LUA_TSTRING && strcmp(lua_tostring(L, -1), full) == 0;
  lua_pop(L, 1);     /* name */
  if (named) return; /* the body already has the full name */
  name_member(L, "name", last, name_length);
  if (!end) {
    name_member(L, "partition", "/", 1);
    return;
  }
  name_member(L, "partition", partition, (size_t)(end - partition));
  if (last - 1 > end) name_member(L, "subPath", end + 1, (size_t)(last - 1 - (end + 1)));
}

/* The device's message about a body without a name does not mention what is missing. */
static int created(lua_State *L, int status, lua_KContext context) {
  f5_operation *op = (f5_operation *)context;
  f5_failure *failure = &op->call.failure;
  if (failure->verdict.kind == KIND_NOT_FOUND && op->body == 2 &&
      lua_getfield(L, 2, "name") == LUA_TNIL) {
    text message = {0};
    text_printf(&message,
                "%s (to create an object, give its name: collection:create { name = … } or "
                "collection[NAME]:create { … })",
                failure->message);
    free(failure->message);
    failure->message = message.data;
  }
  (void)status;
  operation_result(L, op);
  if (lua_getfield(L, op->body, "name") == LUA_TSTRING &&
      uri_is_configuration(op->call.http.path)) {
    size_t length;
    const char *name = lua_tolstring(L, -1, &length);
    lua_pushvalue(L, -2); /* the answer */
    identity_check_name(L, op, name, length);
    lua_pop(L, 1); /* copy of the answer */
  }
  lua_pop(L, 1); /* name */
  call_clear(&op->call);
  return 1;
}

/* Makes the POST of the body at an index to the first `length` bytes of the path, or queues it if
 * the reference belongs to a transaction. */
static int post(lua_State *L, size_t length, int body) {
  const f5_reference *ref = reference_check(L, 1);
  f5_operation *op = operation_new(L, ref->session, "POST", ref->text);
  if (length < ref->length || reference_version(ref)) {
    text_add(&op->path, ref->text, length);
    query_add(L, &op->path, ref, 0, NULL);
    op->call.http.path = text_string(&op->path);
  }
  if (transaction_bound(L)) return transaction_write(L, op, body);
  op->body = body;
  return operation_write(L, op, body, created);
}

/* Makes the POST to the path without its last segment, the collection; the name at index 3 becomes
 * part of the body. */
static int post_named(lua_State *L) {
  const f5_reference *ref = reference_check(L, 1);
  size_t length, collection = ref->length;
  while (ref->text[--collection] != '/')
    ;
  const char *name = lua_tolstring(L, 3, &length);
  name_style style = names_style(ref->text, collection);
  if (*name != '/' && style != NAME_SLASHES && memchr(name, '~', length))
    error_usage(L,
                "create: invalid name '%s': iControl REST writes '/' as '~', so it has no path for "
                "a name with '~'",
                name);
  push_copy(L);
  if (style == NAME_SLASHES) {
    luaL_gsub(L, name, "~", "/");
    name = lua_tolstring(L, -1, &length);
    lua_insert(L, -2);
  }
  if (*name == '/' && style == NAME_PARTITION)
    add_full_name(L, name, length);
  else
    name_member(L, "name", name, length);
  return post(L, collection, lua_gettop(L));
}

/* Returns whether the decoded answer on top is an object with a name: then the object at the path
 * exists. */
static bool is_named_object(lua_State *L) {
  if (!lua_istable(L, -1)) return false;
  size_t length;
  bool named = lua_getfield(L, -1, "name") == LUA_TSTRING;
  const char *kind =
      lua_getfield(L, -2, "kind") == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
  bool collection = kind && length >= sizeof COLLECTION_KIND - 1 &&
                    strcmp(kind + length - (sizeof COLLECTION_KIND - 1), COLLECTION_KIND) == 0;
  lua_pop(L, 2); /* name, kind */
  return named && !collection;
}

/* Continues create_short with the answer about the path. */
static int answered(lua_State *L, int status, lua_KContext context) {
  (void)status;
  f5_operation *op = (f5_operation *)context;
  bool missing = op->call.failure.verdict.kind == KIND_NOT_FOUND;
  if (missing) {
    call_clear(&op->call);
  } else {
    operation_result(L, op);
  }
  bool in_parent = missing || is_named_object(L);
  lua_settop(L, 3);
  if (in_parent) return post_named(L);
  return post(L, reference_check(L, 1)->length, 2);
}

/* Returns whether a path without a full name may name an object: it has a parent below /mgmt/tm,
 * and its kind has names. */
static bool may_be_object(const f5_reference *ref) {
  const char *path = ref->text;
  if (!uri_is_configuration(path)) return false;
  path += sizeof URI_ROOT;
  size_t slashes = 0;
  for (; *path; path++)
    slashes += *path == '/';
  return slashes >= 2;
}

/* A path of short names may be a collection or an object, unless its kind is known: ask the device.
 */
static int create_short(lua_State *L, const f5_reference *ref, size_t collection) {
  if (names_style(ref->text, collection) != NAME_PARTITION) return post_named(L);
  f5_operation *op = operation_new(L, ref->session, "GET", ref->text);
  text_add(&op->path, ref->text, ref->length);
  query_add(L, &op->path, ref, 0, NULL);
  uri_query(&op->path, "$top", "1", 1);
  op->call.http.path = text_string(&op->path);
  return operation_read(L, op, answered);
}

int create_lua(lua_State *L) {
  const f5_reference *ref = reference_check(L, 1);
  if (lua_isnoneornil(L, 2)) {
    lua_settop(L, 1);
    lua_newtable(L);
  }
  lua_settop(L, 2);
  if (!lua_istable(L, 2))
    return error_usage(L, "create: expected a table of properties, got a %s", luaL_typename(L, 2));
  if (ref->text[ref->length])
    return error_usage(L, "cannot write to a path with a query: %s", ref->text);
  text name = {0};
  size_t collection = uri_last_name(ref->text, ref->length, &name);
  push_owned_text(L, &name); /* index 3 */
  size_t length;
  const char *full = lua_tolstring(L, 3, &length);
  if (length > 1 && *full == '/') return post_named(L);
  bool has_name = lua_getfield(L, 2, "name") != LUA_TNIL;
  lua_pop(L, 1); /* name */
  if (has_name || !may_be_object(ref)) return post(L, ref->length, 2);
  return create_short(L, ref, collection);
}
