#include "f5/observe/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/field.h"
#include "base/owner.h"
#include "base/text.h"
#include "f5/session/call.h"
#include "net/http.h"

/* A userdata that lives as long as the state. */
typedef struct f5_replay {
  lua_State *thread; /* runs the function: requests are also made outside of fibers */
  bool on;
} f5_replay;

/* Their addresses are keys in the registry. */
static const char function_key, thread_key, replay_key;

/* -- the request -- */

static void set_headers(lua_State *L, const http_request *request) {
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (const char *const *line = request->headers; line && *line; line++) {
    luaL_addstring(&buffer, *line);
    luaL_addchar(&buffer, '\n');
  }
  luaL_pushresult(&buffer);
  lua_setfield(L, -2, "headers");
}

static void push_request(lua_State *L, http_request *request) {
  const f5_call *call = OWNER(request, f5_call, http);
  lua_createtable(L, 0, 10);
  field_string(L, "where", call->session->where);
  field_string(L, "device", call->session->label);
  field_string(L, "method", request->method);
  field_string(L, "path", request->path);
  field_string(L, "line", call->line);
  field_boolean(L, "internal", call->internal);
  field_boolean(L, "to_file", request->sink_to_fd);
  set_headers(L, request);
  if (!request->body) return;
  lua_pushlstring(L, request->body, request->body_length);
  lua_setfield(L, -2, "body");
}

/* -- the answer -- */

static void refuse(http_request *request, const char *why) {
  request->failure = HTTP_UNRECORDED;
  snprintf(request->error, sizeof request->error, "%s", why ? why : "no reason was given");
}

static char *copy(const char *bytes, size_t length) {
  char *to = malloc(length + 1);
  if (!to) return NULL;
  memcpy(to, bytes, length);
  to[length] = '\0';
  return to;
}

static void write_file(http_request *request, const char *body, size_t length) {
  while (request->sink_length < length) {
    ssize_t n = pwrite(request->sink_fd, body + request->sink_length, length - request->sink_length,
                       (off_t)(request->sink_offset + request->sink_length));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      request->failure = HTTP_FILE;
      snprintf(request->error, sizeof request->error, "cannot write the file: %s", strerror(errno));
      return;
    }
    request->sink_length += (uint64_t)n;
  }
}

static void take_failure(lua_State *L, http_request *request) {
  const char *name = lua_tostring(L, -1);
  request->failure = HTTP_BROKEN;
  for (int one = HTTP_RESOLVE; one < HTTP_INTERNAL; one++)
    if (strcmp(http_failure_name((http_failure)one), name) == 0)
      request->failure = (http_failure)one;
  lua_getfield(L, 2, "sent");
  request->sent = lua_toboolean(L, -1);
  lua_getfield(L, 2, "message");
  snprintf(request->error, sizeof request->error, "%s", luaL_optstring(L, -1, "recorded"));
}

/* The answer at index 2. */
static void take_answer(lua_State *L, http_request *request) {
  size_t length, headers_length;
  if (lua_getfield(L, 2, "transport") == LUA_TSTRING) {
    take_failure(L, request);
    return;
  }
  lua_getfield(L, 2, "status");
  request->status = (long)luaL_checkinteger(L, -1);
  lua_getfield(L, 2, "headers");
  const char *headers = luaL_checklstring(L, -1, &headers_length);
  lua_getfield(L, 2, "body");
  const char *body = luaL_checklstring(L, -1, &length);
  request->sent = true;
  request->bytes_received = length + headers_length;
  request->answer_headers = copy(headers, headers_length);
  if (request->sink_to_fd && request->status / 100 == 2) {
    write_file(request, body, length);
  } else {
    request->answer = copy(body, length);
    request->answer_length = request->answer ? length : 0;
  }
}

/* (light userdata: the request) */
static int ask(lua_State *L) {
  http_request *request = lua_touserdata(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &function_key);
  push_request(L, request);
  lua_call(L, 1, 1);
  if (lua_istable(L, 2))
    take_answer(L, request);
  else
    refuse(request, lua_tostring(L, 2));
  return 0;
}

static void answer(void *data, http_request *request) {
  f5_replay *replay = data;
  lua_State *L = replay->thread;
  lua_settop(L, 0);
  lua_pushcfunction(L, ask);
  lua_pushlightuserdata(L, request);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) refuse(request, lua_tostring(L, -1));
  lua_settop(L, 0);
}

void replay_attach(f5_session *session) {
  f5_replay *replay = session->core->replay;
  if (!replay || !replay->on) return;
  session->replayed = true;
  http_peer_answer(session->peer, answer, replay);
}

/* -- Lua -- */

static f5_replay *replay_of(lua_State *L, f5_core *core) {
  if (core->replay) return core->replay;
  f5_replay *replay = lua_newuserdatauv(L, sizeof *replay, 0);
  *replay = (f5_replay){0};
  lua_rawsetp(L, LUA_REGISTRYINDEX, &replay_key);
  replay->thread = lua_newthread(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &thread_key);
  core->replay = replay;
  return replay;
}

int replay_lua(lua_State *L) {
  f5_core *core = core_of(L);
  lua_settop(L, 1);
  if (!lua_isnil(L, 1)) luaL_checktype(L, 1, LUA_TFUNCTION);
  f5_replay *replay = replay_of(L, core);
  replay->on = !lua_isnil(L, 1);
  core->notes_lines = replay->on;
  if (replay->on) lua_rawsetp(L, LUA_REGISTRYINDEX, &function_key);
  return 0;
}
