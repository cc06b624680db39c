#include "sim/outgoing.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <lauxlib.h>
#include <openssl/ssl.h>

#include "base/list.h"

enum { MAX_ANSWER = 256 << 20, LONGEST_MS = 60000 };

typedef struct exchange {
  struct exchange *next, **link; /* in outgoing->first */
  sim_outgoing *outgoing;
  struct evhttp_connection *evcon;
  struct event *end; /* frees the exchange outside of evhttp's callback */
  uint64_t number;
} exchange;

struct sim_outgoing {
  struct event_base *base;
  SSL_CTX *tls;
  struct event *timer;
  struct exchange *first;
  uint64_t last;
  uint16_t port;
  sim_outgoing_answered *answered;
  sim_outgoing_woken *woken;
  void *owner;
};

static void exchange_free(exchange *x) {
  if (x->link) LIST_REMOVE(x);
  if (x->evcon) evhttp_connection_free(x->evcon);
  if (x->end) event_free(x->end);
  free(x);
}

static void end_due(evutil_socket_t fd, short events, void *data) {
  (void)fd, (void)events;
  exchange_free(data);
}

static void complete(struct evhttp_request *request, void *data) {
  exchange *x = data;
  sim_outgoing *outgoing = x->outgoing;
  int status = request ? evhttp_request_get_response_code(request) : 0;
  struct evbuffer *input = status ? evhttp_request_get_input_buffer(request) : NULL;
  size_t length = input ? evbuffer_get_length(input) : 0;
  const char *body = length ? (const char *)evbuffer_pullup(input, -1) : "";
  outgoing->answered(outgoing->owner, x->number, body ? status : 0, body ? body : "",
                     body ? length : 0);
  struct timeval now = {0};
  event_add(x->end, &now);
}

static void timer_due(evutil_socket_t fd, short events, void *data) {
  (void)fd, (void)events;
  sim_outgoing *outgoing = data;
  outgoing->woken(outgoing->owner);
}

sim_outgoing *sim_outgoing_new(struct event_base *base, uint16_t port,
                               sim_outgoing_answered *answered, sim_outgoing_woken *woken,
                               void *owner) {
  sim_outgoing *outgoing = calloc(1, sizeof *outgoing);
  if (!outgoing) return NULL;
  outgoing->base = base;
  outgoing->port = port;
  outgoing->answered = answered;
  outgoing->woken = woken;
  outgoing->owner = owner;
  outgoing->timer = evtimer_new(base, timer_due, outgoing);
  if (outgoing->timer) return outgoing;
  sim_outgoing_free(outgoing);
  return NULL;
}

void sim_outgoing_free(sim_outgoing *outgoing) {
  if (!outgoing) return;
  while (outgoing->first)
    exchange_free(outgoing->first);
  if (outgoing->timer) event_free(outgoing->timer);
  SSL_CTX_free(outgoing->tls);
  free(outgoing);
}

/* -- calls -- */

/* The connection is made for this call only. */
static struct evhttp_connection *connection_new(sim_outgoing *outgoing, const char *host,
                                                uint16_t port, lua_Integer milliseconds) {
  if (!outgoing->tls) outgoing->tls = SSL_CTX_new(TLS_client_method());
  SSL *ssl = outgoing->tls ? SSL_new(outgoing->tls) : NULL;
  if (!ssl) return NULL;
  struct bufferevent *bev = bufferevent_openssl_socket_new(
      outgoing->base, -1, ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
  if (!bev) {
    SSL_free(ssl);
    return NULL;
  }
  bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
  struct evhttp_connection *evcon =
      evhttp_connection_base_bufferevent_new(outgoing->base, NULL, bev, host, port);
  if (!evcon) {
    bufferevent_free(bev);
    return NULL;
  }
  struct timeval limit = {.tv_sec = (time_t)(milliseconds / 1000),
                          .tv_usec = (suseconds_t)(milliseconds % 1000 * 1000)};
  evhttp_connection_set_timeout_tv(evcon, &limit);
  evhttp_connection_set_max_body_size(evcon, MAX_ANSWER);
  return evcon;
}

static exchange *exchange_new(sim_outgoing *outgoing, const char *host, uint16_t port,
                              lua_Integer milliseconds) {
  exchange *x = calloc(1, sizeof *x);
  if (!x) return NULL;
  x->outgoing = outgoing;
  x->end = evtimer_new(outgoing->base, end_due, x);
  x->evcon = x->end ? connection_new(outgoing, host, port, milliseconds) : NULL;
  if (!x->evcon) {
    exchange_free(x);
    return NULL;
  }
  LIST_ADD(&outgoing->first, x);
  return x;
}

/* Numbers only: a look-up of a name would block the device. */
static bool is_address(const char *host) {
  unsigned char address[16];
  return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static sim_outgoing *outgoing_of(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

static void add_headers(lua_State *L, int index, struct evkeyvalq *headers) {
  lua_pushnil(L);
  while (lua_next(L, index)) {
    if (lua_type(L, -2) == LUA_TSTRING && lua_isstring(L, -1))
      evhttp_add_header(headers, lua_tostring(L, -2), lua_tostring(L, -1));
    lua_pop(L, 1);
  }
}

static int outgoing_post(lua_State *L) {
  sim_outgoing *outgoing = outgoing_of(L);
  const char *host = luaL_checkstring(L, 1);
  lua_Integer port = luaL_checkinteger(L, 2);
  const char *path = luaL_checkstring(L, 3);
  luaL_checktype(L, 4, LUA_TTABLE);
  size_t length;
  const char *body = luaL_checklstring(L, 5, &length);
  lua_Integer milliseconds = luaL_checkinteger(L, 6);
  luaL_argcheck(L, is_address(host), 1, "not an IP address");
  luaL_argcheck(L, port > 0 && port <= UINT16_MAX, 2, "not a port");
  luaL_argcheck(L, milliseconds > 0 && milliseconds <= LONGEST_MS, 6, "out of range");
  exchange *x = exchange_new(outgoing, host, (uint16_t)port, milliseconds);
  struct evhttp_request *request = x ? evhttp_request_new(complete, x) : NULL;
  if (!request) {
    if (x) exchange_free(x);
    return luaL_error(L, "not enough memory");
  }
  x->number = ++outgoing->last;
  struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
  add_headers(L, 4, headers);
  evhttp_add_header(headers, "Host", host);
  evhttp_add_header(headers, "Connection", "close");
  evbuffer_add(evhttp_request_get_output_buffer(request), body, length);
  lua_pushinteger(L, (lua_Integer)x->number);
  /* A failure at once calls `complete`, or frees the request. */
  if (evhttp_make_request(x->evcon, request, EVHTTP_REQ_POST, path) != 0) {
    exchange_free(x);
    return luaL_error(L, "cannot start a call");
  }
  return 1;
}

static int outgoing_wake(lua_State *L) {
  sim_outgoing *outgoing = outgoing_of(L);
  lua_Integer milliseconds = luaL_checkinteger(L, 1);
  luaL_argcheck(L, milliseconds >= 0 && milliseconds <= LONGEST_MS, 1, "out of range");
  struct timeval delay = {.tv_sec = (time_t)(milliseconds / 1000),
                          .tv_usec = (suseconds_t)(milliseconds % 1000 * 1000)};
  struct timeval now, due, known;
  event_base_gettimeofday_cached(outgoing->base, &now);
  evutil_timeradd(&now, &delay, &due);
  if (event_pending(outgoing->timer, EV_TIMEOUT, &known) && evutil_timercmp(&known, &due, <=))
    return 0;
  event_add(outgoing->timer, &delay);
  return 0;
}

static int open_module(lua_State *L) {
  lua_createtable(L, 0, 3);
  return 1;
}

void sim_outgoing_install(sim_outgoing *outgoing, lua_State *L) {
  static const luaL_Reg functions[] = {
      {"post", outgoing_post}, {"wake", outgoing_wake}, {NULL, NULL}};
  luaL_requiref(L, "sim.outgoing", open_module, 0);
  lua_pushlightuserdata(L, outgoing);
  luaL_setfuncs(L, functions, 1);
  lua_pushinteger(L, outgoing->port);
  lua_setfield(L, -2, "port");
  lua_pop(L, 1);
}
