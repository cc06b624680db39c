#include "sim/device.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/http.h>
#include <lauxlib.h>
#include <lualib.h>

#include "base/state.h"
#include "sim/digest.h"
#include "sim/native.h"
#include "sim/pem.h"
#include "sim/pieces.h"

static int traceback(lua_State *L) {
  const char *message = luaL_tolstring(L, 1, NULL);
  luaL_traceback(L, L, message, 1);
  return 1;
}

/* The error handler for opening a device and for calls. An error without a position (level 0)
 * refuses the seed or an argument; it is meant for their author. An error with a position is a bug
 * in the simulated device and gets a traceback. */
static int explain(lua_State *L) {
  const char *message = luaL_tolstring(L, 1, NULL);
  return strstr(message, ".lua:") ? traceback(L) : 1;
}

typedef struct opening {
  lua_CFunction open;
  const char *options;
  sim_outside outside;
} opening;

/* Runs protected: (light userdata of the options) -> handle, call, answered, woken,
 * found */
static int open_device(lua_State *L) {
  const opening *how = lua_touserdata(L, 1);
  luaL_openlibs(L);
  luaL_requiref(L, "sim.native", luaopen_sim_native, 0);
  luaL_requiref(L, "sim.digest", luaopen_sim_digest, 0);
  luaL_requiref(L, "sim.pem", luaopen_sim_pem, 0);
  sim_outgoing_install(how->outside.outgoing, L);
  if (how->outside.source) sim_source_install(how->outside.source, L);
  lua_settop(L, 0);
  how->open(L);
  lua_settop(L, 0);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "sim.boot");
  lua_call(L, 1, 1);
  lua_getfield(L, 1, "start");
  lua_pushstring(L, how->options ? how->options : "{}");
  lua_call(L, 1, 5);
  return 5;
}

bool sim_device_open(sim_device *device, lua_CFunction open, const char *options,
                     sim_outside outside, char *error, size_t size) {
  memset(device, 0, sizeof *device);
  lua_State *L = state_new();
  if (!L) {
    snprintf(error, size, "not enough memory for a Lua state");
    return false;
  }
  lua_pushcfunction(L, explain);
  lua_pushcfunction(L, open_device);
  lua_pushlightuserdata(L, &(opening){open, options, outside});
  if (lua_pcall(L, 1, 5, 1) != LUA_OK) {
    snprintf(error, size, "%s", lua_tostring(L, -1));
    state_close(L);
    return false;
  }
  device->L = L;
  device->found = luaL_ref(L, LUA_REGISTRYINDEX);
  device->woken = luaL_ref(L, LUA_REGISTRYINDEX);
  device->answered = luaL_ref(L, LUA_REGISTRYINDEX);
  device->call = luaL_ref(L, LUA_REGISTRYINDEX);
  device->handle = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_settop(L, 0);
  return true;
}

static void push_headers(lua_State *L, const struct evkeyvalq *headers) {
  lua_createtable(L, 0, 8);
  for (const struct evkeyval *header = headers->tqh_first; header; header = header->next.tqe_next) {
    luaL_Buffer name;
    luaL_buffinit(L, &name);
    for (const char *c = header->key; *c; c++)
      luaL_addchar(&name, (char)tolower((unsigned char)*c));
    luaL_pushresult(&name);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) == LUA_TSTRING) { /* a header that occurs twice is a list */
      lua_pushfstring(L, "%s, %s", lua_tostring(L, -1), header->value);
      lua_replace(L, -2);
    } else {
      lua_pop(L, 1);
      lua_pushstring(L, header->value);
    }
    lua_rawset(L, -3);
  }
}

static void push_body(lua_State *L, struct evbuffer *body) {
  size_t length = body ? evbuffer_get_length(body) : 0;
  if (!length) {
    lua_pushliteral(L, "");
    return;
  }
  luaL_Buffer buffer;
  char *bytes = luaL_buffinitsize(L, &buffer, length);
  ev_ssize_t copied = evbuffer_copyout(body, bytes, length);
  luaL_pushresultsize(&buffer, copied < 0 ? 0 : (size_t)copied);
}

static bool field_flag(lua_State *L, int index, const char *name) {
  lua_getfield(L, index, name);
  bool set = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return set;
}

/* False if the field is absent. */
static bool field_count(lua_State *L, int index, const char *name, uint64_t *value) {
  lua_getfield(L, index, name);
  lua_Number number = lua_tonumber(L, -1);
  bool there = !lua_isnil(L, -1);
  lua_pop(L, 1);
  if (there) *value = number > 0 ? (uint64_t)number : 0;
  return there;
}

static void take_headers(lua_State *L, int response, sim_answer *answer) {
  if (lua_getfield(L, response, "headers") == LUA_TTABLE) {
    lua_pushnil(L);
    while (lua_next(L, -2)) {
      if (lua_type(L, -2) == LUA_TSTRING && lua_isstring(L, -1)) {
        evhttp_add_header(answer->headers, lua_tostring(L, -2), lua_tostring(L, -1));
      }
      lua_pop(L, 1);
    }
  }
  lua_pop(L, 1);
}

/* The body is a string; `more`, if it is there, is the rest of it. */
static void take_body(lua_State *L, int response, sim_answer *answer) {
  size_t length;
  lua_getfield(L, response, "body");
  const char *bytes = lua_tolstring(L, -1, &length);
  bool added = !bytes || evbuffer_add(answer->body, bytes, length) == 0;
  lua_getfield(L, response, "more");
  added = added && sim_pieces_move(L, -1, answer->body);
  lua_pop(L, 2);
  if (!added) luaL_error(L, "not enough memory");
}

/* Copies the response, a table, into the answer. */
static void take_response(lua_State *L, int response, sim_answer *answer) {
  answer->later = field_flag(L, response, "later");
  answer->go_on = field_flag(L, response, "go_on");
  if (answer->later) return;
  lua_getfield(L, response, "status");
  answer->status = (int)luaL_checkinteger(L, -1);
  if (lua_getfield(L, response, "reason") == LUA_TSTRING) {
    snprintf(answer->reason, sizeof answer->reason, "%s", lua_tostring(L, -1));
  }
  answer->head = field_flag(L, response, "head");
  answer->reset = field_flag(L, response, "reset");
  answer->close = field_flag(L, response, "close");
  answer->wish = field_flag(L, response, "wish");
  answer->truncated = field_count(L, response, "truncate", &answer->truncate);
  field_count(L, response, "delay", &answer->delay_ms);
  take_headers(L, response, answer);
  take_body(L, response, answer);
}

/* Runs protected: (handle, request, answer). The last two are light userdata. */
static int handle_request(lua_State *L) {
  const sim_request *request = lua_touserdata(L, 2);
  sim_answer *answer = lua_touserdata(L, 3);
  lua_pushvalue(L, 1);
  lua_pushstring(L, request->method);
  lua_pushstring(L, request->target);
  push_headers(L, request->headers);
  push_body(L, request->body);
  lua_pushstring(L, request->remote);
  lua_pushinteger(L, (lua_Integer)request->connection);
  lua_pushstring(L, request->local);
  lua_pushinteger(L, (lua_Integer)request->minor);
  lua_pushinteger(L, (lua_Integer)request->ticket);
  lua_call(L, 9, 1);
  luaL_checktype(L, -1, LUA_TTABLE);
  take_response(L, lua_gettop(L), answer);
  return 0;
}

/* What remains of an answer after an error in Lua. */
static void spoil(sim_answer *answer) {
  evbuffer_drain(answer->body, evbuffer_get_length(answer->body));
  evhttp_clear_headers(answer->headers);
  answer->status = 500;
  answer->later = false;
}

void sim_device_handle(sim_device *device, const sim_request *request, sim_answer *answer) {
  lua_State *L = device->L;
  answer->status = 500;
  lua_pushcfunction(L, traceback);
  lua_pushcfunction(L, handle_request);
  lua_rawgeti(L, LUA_REGISTRYINDEX, device->handle);
  lua_pushlightuserdata(L, (void *)(uintptr_t)request);
  lua_pushlightuserdata(L, answer);
  if (lua_pcall(L, 3, 0, 1) != LUA_OK) {
    fprintf(stderr, "sim: %s %s: %s\n", request->method, request->target, lua_tostring(L, -1));
    spoil(answer);
  }
  lua_settop(L, 0);
}

typedef struct outcome {
  uint64_t number, ticket;
  int status;
  const char *body;
  size_t length;
  sim_device_find *find;
  void *owner;
  sim_answer *answer;
  bool completed; /* a request, whether its client is still there or not; or there is more */
} outcome;

/* Runs protected: (answered or found, light userdata of the outcome) */
static int take_result(lua_State *L) {
  outcome *r = lua_touserdata(L, 2);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, (lua_Integer)r->number);
  lua_pushinteger(L, r->status);
  lua_pushlstring(L, r->body, r->length);
  lua_call(L, 3, 3); /* -> ticket and response or nil, whether there is more to do */
  r->completed = lua_isinteger(L, -3) || lua_toboolean(L, -1);
  lua_pop(L, 1);
  if (!lua_isinteger(L, -2)) return 0;
  r->ticket = (uint64_t)lua_tointeger(L, -2);
  r->answer = r->find(r->owner, r->ticket);
  if (r->answer) take_response(L, lua_gettop(L), r->answer);
  return 0;
}

/* Calls the function of sim.boot with this reference. Returns the ticket of the request that it
 * completed, or 0. */
static uint64_t pass_on(sim_device *device, int function, outcome *r) {
  lua_State *L = device->L;
  lua_pushcfunction(L, traceback);
  lua_pushcfunction(L, take_result);
  lua_rawgeti(L, LUA_REGISTRYINDEX, function);
  lua_pushlightuserdata(L, r);
  if (lua_pcall(L, 2, 0, 1) != LUA_OK) {
    fprintf(stderr, "sim: answer of another device: %s\n", lua_tostring(L, -1));
    if (r->answer) spoil(r->answer);
  }
  lua_settop(L, 0);
  return r->answer ? r->ticket : 0;
}

uint64_t sim_device_answered(sim_device *device, uint64_t number, int status, const char *body,
                             size_t length, sim_device_find *find, void *owner) {
  outcome r = {.number = number,
               .status = status,
               .body = body,
               .length = length,
               .find = find,
               .owner = owner};
  return pass_on(device, device->answered, &r);
}

uint64_t sim_device_found(sim_device *device, uint64_t number, const sim_found *found,
                          sim_device_find *find, void *owner, bool *more) {
  outcome r = {.number = number,
               .status = found->status,
               .body = found->body,
               .length = found->length,
               .find = find,
               .owner = owner};
  uint64_t ticket = pass_on(device, device->found, &r);
  *more = r.completed;
  return ticket;
}

void sim_device_woken(sim_device *device) {
  lua_State *L = device->L;
  lua_pushcfunction(L, traceback);
  lua_rawgeti(L, LUA_REGISTRYINDEX, device->woken);
  if (lua_pcall(L, 0, 0, 1) != LUA_OK) fprintf(stderr, "sim: timer: %s\n", lua_tostring(L, -1));
  lua_settop(L, 0);
}

/* Runs protected: (call, name, light userdata of the text, length) -> text or nil */
static int call_function(lua_State *L) {
  lua_pushlstring(L, lua_touserdata(L, 3), (size_t)lua_tointeger(L, 4));
  lua_replace(L, 3);
  lua_settop(L, 3);
  lua_call(L, 2, 1);
  return 1;
}

char *sim_device_call(sim_device *device, const char *name, const char *text, size_t length,
                      size_t *result_length, bool *ok) {
  lua_State *L = device->L;
  lua_pushcfunction(L, explain);
  lua_pushcfunction(L, call_function);
  lua_rawgeti(L, LUA_REGISTRYINDEX, device->call);
  lua_pushstring(L, name);
  lua_pushlightuserdata(L, (void *)(uintptr_t)text);
  lua_pushinteger(L, (lua_Integer)length);
  *ok = lua_pcall(L, 4, 1, 1) == LUA_OK;
  size_t size = 0;
  const char *result = lua_tolstring(L, -1, &size);
  char *copy = malloc(size + 1);
  if (copy) {
    if (size) memcpy(copy, result, size);
    copy[size] = '\0';
    if (result_length) *result_length = size;
  }
  lua_settop(L, 0);
  return copy;
}

void sim_device_close(sim_device *device) {
  if (!device->L) return;
  bool ok;
  free(sim_device_call(device, "close", "", 0, NULL, &ok));
  state_close(device->L);
  device->L = NULL;
}

sim_wish sim_device_wish(sim_device *device) {
  sim_wish wish = {.listening = true};
  bool ok;
  char *text = sim_device_call(device, "wish", "", 0, NULL, &ok);
  if (text && ok) {
    unsigned listening = 1, cut = 0;
    unsigned long long poll_ms = 0;
    if (sscanf(text, "%u %u %llu", &listening, &cut, &poll_ms) == 3) {
      wish.listening = listening != 0;
      wish.cut = cut != 0;
      wish.poll_ms = poll_ms;
    }
  }
  free(text);
  return wish;
}
