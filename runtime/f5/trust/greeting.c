#include "f5/trust/greeting.h"

#include <string.h>

#include <lauxlib.h>

#include "base/metatable.h"
#include "base/owner.h"
#include "fiber/fiber.h"

#define GREETING_NAME "f5.greeting"

static void ended(http_request *request) {
  greeting *g = OWNER(request, greeting, http);
  fiber_wake(&g->wait);
}

static void abandon(fiber_wait *wait) {
  greeting *g = OWNER(wait, greeting, wait);
  http_cancel(&g->http);
}

static int collect(lua_State *L) {
  greeting *g = luaL_checkudata(L, 1, GREETING_NAME);
  if (!g->peer) return 0;
  http_cancel(&g->http);
  http_request_clear(&g->http);
  http_peer_release(g->peer);
  g->peer = NULL;
  return 0;
}

int greeting_await(lua_State *L, http_peer *peer, lua_KFunction finish) {
  greeting *g = lua_newuserdatauv(L, sizeof *g, 0);
  memset(g, 0, sizeof *g);
  if (luaL_newmetatable(L, GREETING_NAME)) {
    lua_pushcfunction(L, collect);
    lua_setfield(L, -2, "__gc");
    metatable_hide(L, "greeting");
  }
  lua_setmetatable(L, -2);
  g->peer = http_peer_retain(peer);
  g->http.method = "GET";
  g->http.path = "/";
  g->http.only_connect = true;
  g->http.done = ended;
  g->wait.abandon = abandon;
  http_submit(peer, &g->http);
  return fiber_await(L, &g->wait, (lua_KContext)g, finish);
}
