#include "f5/rest/collection.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/json.h"
#include "base/metatable.h"
#include "f5/report/error.h"
#include "f5/rest/query.h"
#include "f5/rest/reference.h"
#include "f5/rest/uri.h"
#include "f5/session/operation.h"
#include "f5/session/session_lua.h"

#define PAGES_NAME "f5.pages"
#define SKIP "$skip="
#define DEFAULT_PAGE 500 /* objects per page of `each` */

#define MAX_LINKED 100000 /* pages without $skip; devices link with it */

/* The state of an iteration. User values: the session, the items of the current page, the paths
 * that a page linked to without $skip (a set). */
typedef struct pages {
  f5_session *session;
  text path;             /* of the next page; empty: there is none */
  lua_Integer left;      /* remaining objects of `top`; LUA_MAXINTEGER: no limit */
  lua_Integer at, count; /* in the current page */
  size_t bytes;          /* of all pages so far; only list keeps them */
  unsigned linked;       /* how many paths are in PAGES_LINKED */
  bool closed;
} pages;

enum { PAGES_SESSION = 1, PAGES_ITEMS, PAGES_LINKED };

/* Also if the loop is left: the objects of the page do not wait for the collector. */
static int pages_close(lua_State *L) {
  pages *p = luaL_checkudata(L, 1, PAGES_NAME);
  p->closed = true;
  text_free(&p->path);
  lua_pushnil(L);
  lua_setiuservalue(L, 1, PAGES_ITEMS);
  return 0;
}

/* Raises if memory was short: an empty path would end the iteration. */
static void check_path(lua_State *L, const pages *p) {
  if (p->path.failed) luaL_error(L, "not enough memory");
}

/* Pushes the state of an iteration over the reference at 1 with the options at 2. */
static pages *pages_new(lua_State *L, lua_Integer default_page) {
  const f5_reference *ref = reference_check(L, 1);
  session_check_open(L, ref->session);
  lua_settop(L, 2);
  pages *p = lua_newuserdatauv(L, sizeof *p, PAGES_LINKED);
  memset(p, 0, sizeof *p);
  luaL_setmetatable(L, PAGES_NAME);
  p->session = ref->session;
  lua_getiuservalue(L, 1, 1);
  lua_setiuservalue(L, -2, PAGES_SESSION);
  query_page page = {.default_size = default_page};
  text_add(&p->path, ref->text, ref->length);
  query_add(L, &p->path, ref, 2, &page);
  check_path(L, p);
  p->left = page.top < 0 ? LUA_MAXINTEGER : page.top;
  return p;
}

/* Reads the path of the next page from the body at index. The host of the link is ignored: it is
 * localhost. */
static void note_next(lua_State *L, pages *p, f5_operation *op, int index) {
  size_t length;
  if (lua_getfield(L, index, "nextLink") == LUA_TSTRING) {
    const char *link = lua_tolstring(L, -1, &length);
    if (!uri_is_absolute(link, length) || uri_leads_up(link, length))
      operation_refuse(L, op, "invalid nextLink '%.100s'", link);
    text query = {0};
    uri_absolute(&p->path, &query, link, length);
    text_join(&p->path, &query);
    const char *version = p->session->ver;
    size_t size = uri_version(link, length, &version);
    if (size == 0 && version) size = strlen(version);
    if (size) uri_query(&p->path, "ver", version, size);
    text_free(&query);
  } else if (!lua_isnil(L, -1) && !json_is_null(L, -1)) {
    operation_refuse(L, op, "invalid nextLink: expected a string, got a %s", luaL_typename(L, -1));
  }
  lua_pop(L, 1); /* nextLink */
}

static void push_empty(lua_State *L) {
  lua_newtable(L);
  json_push_array_metatable(L);
  lua_setmetatable(L, -2);
}

/* The $skip of a path, or `otherwise`. */
static long long skipped(const char *path, long long otherwise) {
  const char *at = strstr(path, SKIP);
  return at ? strtoll(at + sizeof SKIP - 1, NULL, 10) : otherwise;
}

/* ASM supports $top and $skip and sends the total number, but no nextLink. `asked` is the path of
 * the current page. */
static void note_next_of_asm(lua_State *L, pages *p, int index, lua_Integer count,
                             const char *asked) {
  if (strncmp(asked, "/mgmt/tm/asm/", 13) != 0) return;
  int whole = 0;
  lua_getfield(L, index, "totalItems");
  lua_Integer total = lua_tointegerx(L, -1, &whole);
  lua_pop(L, 1); /* totalItems */
  const char *at = strstr(asked, SKIP);
  lua_Integer before = skipped(asked, 0);
  if (!whole || count == 0 || before + count >= total) return;
  size_t kept = at ? (size_t)(at - asked) - 1 : strlen(asked); /* with the '?' or '&' before it */
  text_add(&p->path, asked, kept);
  const char *rest = at ? strchr(at, '&') : NULL;
  if (rest) { /* the first remaining parameter follows the "?" */
    text_add(&p->path, strchr(text_string(&p->path), '?') ? "&" : "?", 1);
    text_put(&p->path, rest + 1);
  }
  query_add_count(L, &p->path, "$skip", before + count);
}

/* Raises if the next page is this page, an earlier one or before it: the iteration would never end.
 */
static void check_forward(lua_State *L, pages *p, int at, f5_operation *op) {
  const char *asked = op->call.http.path, *next = text_string(&p->path);
  if (strcmp(asked, next) == 0)
    operation_refuse(L, op, "invalid nextLink: it points to the same page");
  if (skipped(next, INT64_MAX) <= skipped(asked, 0))
    operation_refuse(L, op, "invalid nextLink: it points backwards: %.200s", next);
  /* $skip only grows, so each circle has a link without it. Long lists need no memory here. */
  if (strstr(next, SKIP)) return;
  if (lua_getiuservalue(L, at, PAGES_LINKED) != LUA_TTABLE) {
    lua_pop(L, 1); /* nil */
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, at, PAGES_LINKED);
  }
  if (lua_getfield(L, -1, next) != LUA_TNIL)
    operation_refuse(L, op, "invalid nextLink: it points to an earlier page: %.200s", next);
  if (++p->linked > MAX_LINKED)
    operation_refuse(L, op, "invalid nextLink: the device links to ever more pages");
  lua_pushboolean(L, true);
  lua_setfield(L, -3, next);
  lua_pop(L, 2); /* nil, the set */
}

/* Pushes the items of the page whose body is at index. */
static void push_items(lua_State *L, f5_operation *op, int body) {
  int length = (int)strcspn(op->call.http.path, "?");
  if (!lua_istable(L, body)) {
    error_usage(L, "%.*s is not a collection: the device answered with %s", length,
                op->call.http.path, lua_isnil(L, body) ? "nothing" : luaL_typename(L, body));
  }
  if (lua_getfield(L, body, "items") != LUA_TTABLE) { /* an empty collection has none */
    lua_pop(L, 1);
    lua_getfield(L, body, "kind");
    bool object = lua_getfield(L, body, "fullPath") != LUA_TNIL ||
                  lua_getfield(L, body, "entries") != LUA_TNIL;
    if (object)
      error_usage(L, "%.*s is an object%s%s, not a collection: use load (f5lua get)", length,
                  op->call.http.path, lua_isstring(L, body + 1) ? " of kind " : "",
                  lua_isstring(L, body + 1) ? lua_tostring(L, body + 1) : "");
    bool described = !lua_isnil(L, body + 1) || lua_getfield(L, body, "selfLink") != LUA_TNIL;
    if (!described)
      operation_refuse(L, op,
                       "the answer is not a collection: it has neither 'items' nor 'kind'; "
                       "read an object with load, in the shell with f5lua get");
    lua_settop(L, body);
    push_empty(L);
  }
}

/* Raises if the items on top are not a list of objects. */
static void check_items(lua_State *L, f5_operation *op) {
  lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
  if (count == 0 && (lua_pushnil(L), lua_next(L, -2)))
    operation_refuse(L, op, "the answer is not a collection: its 'items' are an object");
  for (lua_Integer i = 1; i <= count; i++) {
    int type = lua_rawgeti(L, -1, i);
    lua_pop(L, 1); /* item */
    if (type != LUA_TTABLE)
      operation_refuse(L, op, "the answer is not a collection: item %d is a %s", (int)i,
                       lua_typename(L, type));
  }
}

/* Finishes the call for a page of the iteration at index: pushes its body and its items, an array,
 * and sets the path of the next page, which is empty now. */
static void take_page(lua_State *L, int at, f5_operation *op) {
  pages *p = lua_touserdata(L, at);
  operation_result(L, op);
  int body = lua_gettop(L);
  push_items(L, op, body);
  check_items(L, op);
  lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
  if (count && count < p->left) {
    note_next(L, p, op, body);
    if (p->path.length == 0) note_next_of_asm(L, p, body, count, op->call.http.path);
    check_path(L, p);
    if (p->path.length) check_forward(L, p, at, op);
  }
  for (; count > p->left; count--) {
    lua_pushnil(L);
    lua_rawseti(L, -2, count);
  }
  p->left -= count;
  p->at = 0;
  p->count = count;
  call_clear(&op->call);
}

static int fetch(lua_State *L, pages *p, lua_KFunction finish) {
  f5_operation *op = operation_new(L, p->session, "GET", "");
  op->path = p->path;
  p->path = (text){0};
  op->call.http.path = text_string(&op->path);
  return operation_read(L, op, finish);
}

/* -- list -- */

/* Stack: reference, options, pages, array so far or nil, then the operation of this page. */
static int listed(lua_State *L, int status, lua_KContext context) {
  (void)status;
  pages *p = lua_touserdata(L, 3);
  f5_operation *op = (f5_operation *)context;
  p->bytes += op->call.http.answer_length;
  if (p->bytes > p->session->body_limit)
    operation_refuse(L, op, "the pages together exceed the option body_limit: use each");
  take_page(L, 3, op);
  if (lua_isnil(L, 4)) {
    lua_copy(L, -1, 4);
  } else {
    lua_Integer base = (lua_Integer)lua_rawlen(L, 4);
    for (lua_Integer i = 1; i <= p->count; i++) {
      lua_rawgeti(L, -1, i);
      lua_rawseti(L, 4, base + i);
    }
  }
  lua_settop(L, 4);
  if (p->path.length) return fetch(L, p, listed);
  return 1;
}

/* ref:list{options} -> array of all objects, or of `top`; `page` sets the number per page */
static int list(lua_State *L) {
  pages *p = pages_new(L, 0);
  if (p->left == 0) { /* top = 0: a device rejects it, and the result is known */
    push_empty(L);
    return 1;
  }
  lua_pushnil(L);
  return fetch(L, p, listed);
}

/* -- each -- */

static int give(lua_State *L, pages *p) {
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, PAGES_ITEMS);
  lua_rawgeti(L, 2, ++p->at);
  return 1;
}

static int turned(lua_State *L, int status, lua_KContext context) {
  (void)status;
  pages *p = lua_touserdata(L, 1);
  take_page(L, 1, (f5_operation *)context);
  lua_setiuservalue(L, 1, PAGES_ITEMS);
  if (p->count == 0) { /* also ends when a device links to a next page that is empty */
    lua_pushnil(L);
    return 1;
  }
  return give(L, p);
}

static int next_object(lua_State *L) {
  pages *p = luaL_checkudata(L, 1, PAGES_NAME);
  if (p->closed) {
    lua_pushnil(L);
    return 1;
  }
  if (p->at < p->count) return give(L, p);
  lua_settop(L, 1);
  lua_pushnil(L);
  lua_setiuservalue(L, 1, PAGES_ITEMS);
  if (!p->path.length || p->left == 0) {
    lua_pushnil(L);
    return 1;
  }
  return fetch(L, p, turned);
}

/* for object in ref:each{options} do: like list, with one page in memory at a time */
static int each(lua_State *L) {
  pages_new(L, DEFAULT_PAGE);
  lua_pushcfunction(L, next_object);
  lua_insert(L, -2);
  lua_pushnil(L);
  lua_pushvalue(L, -2);
  return 4; /* iterator, state, nothing, closing value */
}

void collection_setup(lua_State *L, int reference_methods) {
  static const luaL_Reg methods[] = {{"list", list}, {"each", each}, {NULL, NULL}};
  static const luaL_Reg events[] = {{"__gc", pages_close}, {"__close", pages_close}, {NULL, NULL}};
  lua_pushvalue(L, reference_methods);
  luaL_setfuncs(L, methods, 0);
  lua_pop(L, 1); /* methods */
  luaL_newmetatable(L, PAGES_NAME);
  luaL_setfuncs(L, events, 0);
  metatable_hide(L, "pages");
  lua_pop(L, 1); /* metatable */
}
