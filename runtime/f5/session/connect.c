/* f5.connect: reads the options from the script, the environment, a simulated run or a prompt, and
 * logs in. */
#include "f5/session/connect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <lauxlib.h>

#include "base/json_text.h"
#include "f5/observe/replay.h"
#include "f5/report/error.h"
#include "f5/session/address.h"
#include "f5/session/login.h"
#include "f5/session/operation.h"
#include "f5/session/probe.h"
#include "f5/session/prompt.h"
#include "f5/session/session_lua.h"
#include "f5/session/shutdown.h"
#include "f5/session/token.h"
#include "f5/trust/facts.h"
#include "f5/trust/greeting.h"
#include "f5/trust/trust.h"
#include "f5/trust/trusted.h"

static const char *const option_names[] = {"host",     "port",
                                           "username", "password",
                                           "provider", "login_reference",
                                           "auth",     "token",
                                           "verify",   "ca",
                                           "cert",     "key",
                                           "pin",      "proxy",
                                           "timeout",  "connect_timeout",
                                           "retries",  "token_lifetime",
                                           "ver",      "label",
                                           "parallel", "body_limit",
                                           "wait",     "read_only",
                                           NULL};
static const char *const retry_names[] = {"count", "delay", "budget", NULL};

/* Indices on the stack of f5.connect. */
enum { SESSION = 2, PRESET = 3, OPTIONS = 4 };

static const char preset_key; /* its address is the key in the registry */

/* Strings belong to the copy of the options at index 1, or to the buffers here. */
typedef struct options {
  const char *host;
  char host_text[ADDRESS_MAX];
  long port;
  const char *username;
  char username_text[PROMPT_MAX];
  const char *label, *ver;
  bool verify, simulated, look; /* look: the certificate is shown, not judged */
  char wanted[HTTP_FINGERPRINT];
  lua_Number timeout, connect_timeout;
  http_peer_options peer;
} options;

/* -- values -- */

static const char *string_option(lua_State *L, int table, const char *name) {
  int type = lua_getfield(L, table, name);
  lua_pop(L, 1); /* the table keeps the value */
  if (type == LUA_TNIL) return NULL;
  if (type != LUA_TSTRING)
    error_usage(L, "option '%s' must be a string, not a %s", name, lua_typename(L, type));
  size_t length;
  lua_getfield(L, table, name);
  const char *value = lua_tolstring(L, -1, &length);
  lua_pop(L, 1);
  if (length == 0) error_usage(L, "option '%s' is an empty string", name);
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)value[i] < ' ')
      error_usage(L, "option '%s' contains a control character", name);
  return value;
}

static lua_Number number_option(lua_State *L, int table, const char *name, lua_Number otherwise,
                                lua_Number least, lua_Number most) {
  int type = lua_getfield(L, table, name);
  lua_Number value = type == LUA_TNIL ? otherwise : lua_tonumber(L, -1);
  lua_pop(L, 1); /* value */
  if (type != LUA_TNIL && type != LUA_TNUMBER)
    error_usage(L, "option '%s' must be a number, not a %s", name, lua_typename(L, type));
  if (!(value >= least && value <= most))
    error_usage(L, "option '%s' must be between %.14g and %.14g, not %.14g", name, least, most,
                value);
  return value;
}

static lua_Integer integer_option(lua_State *L, int table, const char *name, lua_Integer otherwise,
                                  lua_Integer least, lua_Integer most) {
  lua_Number value =
      number_option(L, table, name, (lua_Number)otherwise, (lua_Number)least, (lua_Number)most);
  if (floor(value) != value)
    error_usage(L, "option '%s' must be a whole number, not %.14g", name, value);
  return (lua_Integer)value;
}

static bool boolean_option(lua_State *L, int table, const char *name, bool otherwise) {
  int type = lua_getfield(L, table, name);
  bool value = type == LUA_TNIL ? otherwise : lua_toboolean(L, -1);
  lua_pop(L, 1); /* value */
  if (type != LUA_TNIL && type != LUA_TBOOLEAN)
    error_usage(L, "option '%s' must be true or false, not a %s", name, lua_typename(L, type));
  return value;
}

static void check_names(lua_State *L, int table, const char *const *known, const char *what) {
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    bool found = false;
    if (lua_type(L, -2) != LUA_TSTRING)
      error_usage(L, "expected the name of an %s, got a %s: f5.connect { host = \"…\" }", what,
                  luaL_typename(L, -2));
    const char *name = lua_tostring(L, -2);
    for (const char *const *at = known; *at; at++)
      found = found || strcmp(*at, name) == 0;
    if (!found) error_unknown(L, what, name, known);
  }
}

static secret *keep(lua_State *L, const char *value, size_t length) {
  secret *kept = secret_new(value, length);
  if (!kept) luaL_error(L, "not enough memory");
  return kept;
}

static const char *environment(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

/* -- address -- */

static void read_address(lua_State *L, options *o, int preset) {
  const char *host = string_option(L, 1, "host");
  o->port = (long)integer_option(L, 1, "port", 0, 0, 65535);
  long named_port = o->port;
  if (!host && !preset) host = environment("F5_SERVER");
  if (preset) { /* a simulated run contacts no real device; messages still show the name in the
                   script */
    o->label = host ? host : string_option(L, preset, "label");
    host = string_option(L, preset, "host");
    o->port = 0;
  }
  if (!host) error_usage(L, "no host: give host = \"…\" to f5.connect, or set F5_SERVER");
  address_split(L, host, o->host_text, &o->port);
  o->host = o->host_text;
  if (preset) {
    o->port = (long)integer_option(L, preset, "port", 443, 1, 65535);
    return;
  }
  if (named_port && o->port != named_port)
    error_usage(L, "the port is given twice: in host = \"%s\" and as port = %ld", host, named_port);
  if (!o->port && environment("F5_SERVER_PORT"))
    o->port = address_port(L, getenv("F5_SERVER_PORT"), "F5_SERVER_PORT");
  if (!o->port) o->port = 443;
}

static bool environment_verify(lua_State *L) {
  static const char *const yes[] = {"yes", "true", "on", "1", NULL}, *const no[] = {"no", "false",
                                                                                    "off", "0",
                                                                                    NULL};
  const char *value = environment("F5_VALIDATE_CERTS");
  if (!value) return true;
  for (int i = 0; yes[i]; i++) {
    if (strcasecmp(value, yes[i]) == 0) return true;
    if (strcasecmp(value, no[i]) == 0) return false;
  }
  error_usage(L, "invalid F5_VALIDATE_CERTS '%s': must be 'yes' or 'no'", value);
  return true;
}

/* "http://user:password@host:port": libcurl includes it in error messages. */
static void mask_proxy(lua_State *L, f5_session *session, const char *proxy) {
  static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
  for (size_t i = 0; !proxy && i < sizeof names / sizeof *names; i++)
    proxy = environment(names[i]);
  const char *end = proxy ? strrchr(proxy, '@') : NULL;
  if (!end) return;
  const char *scheme = strstr(proxy, "://"), *user = scheme && scheme < end ? scheme + 3 : proxy;
  const char *colon = memchr(user, ':', (size_t)(end - user));
  if (colon) session->credentials.proxy = keep(L, colon + 1, (size_t)(end - colon - 1));
}

/* Whether a proxy is reached with TLS. Its certificate is not that of the device. */
static bool has_tls_proxy(const http_peer_options *peer) {
  static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
  const char *proxy = peer->proxy;
  for (size_t i = 0; !proxy && i < sizeof names / sizeof *names; i++)
    proxy = environment(names[i]);
  return proxy && strncasecmp(proxy, "https://", 8) == 0;
}

static void read_transport(lua_State *L, options *o, f5_session *session, int preset) {
  http_peer_options *peer = &o->peer;
  o->verify = boolean_option(L, 1, "verify", true);
  peer->ca = string_option(L, 1, "ca");
  if (lua_getfield(L, 1, "verify") == LUA_TNIL && !peer->ca && !preset)
    o->verify = environment_verify(L);
  lua_pop(L, 1); /* verify */
  peer->cert = string_option(L, 1, "cert");
  peer->key = string_option(L, 1, "key");
  peer->pin = string_option(L, 1, "pin");
  peer->proxy = string_option(L, 1, "proxy");
  if (peer->proxy && strcmp(peer->proxy, "direct://") == 0) peer->proxy = "";
  if (peer->key && !peer->cert)
    error_usage(L, "option 'key' requires 'cert', the certificate of the key");
  if (preset) { /* a simulated device does not know the real certificates */
    peer->ca = string_option(L, preset, "ca");
    o->verify = peer->ca != NULL;
    peer->cert = peer->key = peer->pin = NULL;
    peer->proxy = "";
  }
  trust_check(L, peer);
  if (!o->look && o->verify && !peer->ca && !preset && !has_tls_proxy(peer) &&
      trusted_find(L, o->host, o->port, o->wanted))
    peer->wanted = o->wanted;
  mask_proxy(L, session, peer->proxy);
  peer->insecure = !o->verify;
  peer->user_agent = "f5lua/" F5LUA_VERSION;
  o->timeout = number_option(L, 1, "timeout", 60, 0.001, 86400);
  o->connect_timeout = number_option(L, 1, "connect_timeout", 10, 0.001, 86400);
  peer->timeout_ms = (long)ceil(o->timeout * 1000);
  peer->connect_timeout_ms = (long)ceil(o->connect_timeout * 1000);
  peer->parallel = (unsigned)integer_option(L, 1, "parallel", 4, 1, 1000);
  peer->body_limit = (size_t)integer_option(L, 1, "body_limit", 256 << 20, 1, (lua_Integer)1 << 40);
}

/* retries = 4, or retries = { count = 4, delay = 0.25, budget = 60 } */
static void read_retries(lua_State *L, f5_session *session) {
  session->retries = 4;
  session->delay_ms = 250;
  session->budget_ms = 60000;
  int type = lua_getfield(L, 1, "retries");
  if (type == LUA_TTABLE) {
    int table = lua_gettop(L);
    check_names(L, table, retry_names, "option of retries");
    session->retries = (unsigned)integer_option(L, table, "count", 4, 0, 1000);
    session->delay_ms = (uint64_t)(number_option(L, table, "delay", 0.25, 0, 3600) * 1000);
    session->budget_ms = (uint64_t)(number_option(L, table, "budget", 60, 0, 86400) * 1000);
  } else if (type == LUA_TNUMBER) {
    session->retries = (unsigned)integer_option(L, 1, "retries", 4, 0, 1000);
  } else if (type != LUA_TNIL) {
    error_usage(
        L, "option 'retries' must be a number or a table { count =, delay =, budget = }, not a %s",
        lua_typename(L, type));
  }
  lua_pop(L, 1); /* retries */
}

/* -- credentials -- */

static char *copy(lua_State *L, const char *string) {
  char *duplicate = string ? strdup(string) : NULL;
  if (string && !duplicate) luaL_error(L, "not enough memory");
  return duplicate;
}

/* Returns the secret in the option `name`; NULL if it is not given. */
static secret *secret_option(lua_State *L, int table, const char *name) {
  secret *kept = NULL;
  int type = lua_getfield(L, table, name);
  const secret *given = prompt_to_secret(L, -1);
  if (given) {
    kept = keep(L, secret_string(given), secret_length(given));
  } else if (type == LUA_TSTRING) {
    size_t length;
    const char *value = lua_tolstring(L, -1, &length);
    if (length == 0) error_usage(L, "option '%s' is an empty string", name);
    if (memchr(value, '\0', length)) error_usage(L, "option '%s' contains a NUL byte", name);
    if (strcmp(name, "token") == 0 && strpbrk(value, "\r\n"))
      error_usage(L, "option 'token' contains a line break");
    if (strcmp(name, "token") == 0 && length > MAX_TOKEN)
      error_usage(L, "option 'token' is longer than %d bytes", MAX_TOKEN);
    kept = keep(L, value, length);
  } else if (type != LUA_TNIL) {
    error_usage(L, "option '%s' must be a string, not a %s", name, lua_typename(L, type));
  }
  lua_pop(L, 1); /* value */
  return kept;
}

static void need_terminal(lua_State *L, const options *o, const char *what, const char *option,
                          const char *variable) {
  if (!prompt_possible())
    error_usage(
        L,
        "no %s for %s: give %s = \"…\" to f5.connect, or set %s (there is no terminal to ask on)",
        what, o->host, option, variable);
}

static void ask(lua_State *L, const char *question, bool hidden, char *buffer) {
  bool got = prompt_ask(L, question, hidden, buffer);
  if (got && *buffer) return;
  secret_wipe(buffer, PROMPT_MAX); /* partial input before Ctrl-C */
  if (got) error_usage(L, "nothing was entered");
  error_push_cancelled(L);
  lua_error(L);
}

static bool is_utf8(const char *bytes, size_t length) {
  for (const char *end = bytes + length; bytes < end;) {
    size_t run = (unsigned char)*bytes < 0x80 ? 1 : json_utf8_length(bytes, end);
    if (!run) return false;
    bytes += run;
  }
  return true;
}

static void read_user(lua_State *L, options *o, f5_session *session, int preset) {
  char question[PROMPT_MAX + 300];
  f5_credentials *credentials = &session->credentials;
  const char *username = string_option(L, 1, "username");
  bool preset_user = !username && preset;
  credentials->password = secret_option(L, 1, "password");
  if (preset_user) username = string_option(L, preset, "username");
  if (!username && !preset) username = environment("F5_USER");
  if (!username) {
    need_terminal(L, o, "user name", "username", "F5_USER");
    snprintf(question, sizeof question, "User name for %s: ", o->host);
    ask(L, question, false, o->username_text);
    username = o->username_text;
  }
  credentials->username = copy(L, username);
  if (preset_user && !credentials->password)
    credentials->password = secret_option(L, preset, "password");
  if (!credentials->password && !preset) {
    const char *value = environment("F5_PASSWORD");
    if (value) credentials->password = keep(L, value, strlen(value));
  }
  if (!credentials->password) {
    char typed[PROMPT_MAX];
    need_terminal(L, o, "password", "password", "F5_PASSWORD");
    snprintf(question, sizeof question, "Password for %s on %s: ", username, o->host);
    ask(L, question, true, typed);
    credentials->password = secret_new(typed, strlen(typed));
    secret_wipe(typed, sizeof typed);
    if (!credentials->password) luaL_error(L, "not enough memory");
  }
  if (credentials->mode == CREDENTIALS_TOKEN &&
      !is_utf8(secret_string(credentials->password), secret_length(credentials->password)))
    error_usage(L, "the password is not valid UTF-8, which a login requires");
  if (strcmp(secret_string(credentials->password), username) == 0)
    secret_unmask(credentials->password);
}

static void read_auth(lua_State *L, options *o, f5_session *session, int preset) {
  f5_credentials *credentials = &session->credentials;
  const char *mode = string_option(L, 1, "auth"), *provider = string_option(L, 1, "provider"),
             *login_reference = string_option(L, 1, "login_reference");
  credentials->token_lifetime = (long)integer_option(L, 1, "token_lifetime", 0, 0, 10000000);
  if (mode && strcmp(mode, "token") != 0 && strcmp(mode, "basic") != 0)
    error_usage(L, "option 'auth' must be \"token\" or \"basic\", not \"%s\"", mode);
  if (provider && login_reference)
    error_usage(L, "options 'provider' and 'login_reference' cannot be combined: give one of them");
  secret *token = secret_option(L, 1, "token");
  if (token) {
    credentials->mode = CREDENTIALS_GIVEN;
    credentials->masked = token;
    credentials->given =
        secret_quiet((const char *const[]){"X-F5-Auth-Token: ", secret_string(token)}, 2);
    if (lua_getfield(L, 1, "password") != LUA_TNIL || mode)
      error_usage(L, "option 'token' cannot be combined with 'password' or 'auth'");
    lua_pop(L, 1); /* nil */
  } else {
    credentials->mode = mode && strcmp(mode, "basic") == 0 ? CREDENTIALS_BASIC : CREDENTIALS_TOKEN;
    credentials->provider = copy(L, provider);
    credentials->login_reference = copy(L, login_reference);
    read_user(L, o, session, preset);
  }
  session->wait_ms = (uint64_t)(number_option(L, 1, "wait", 0, 0, 86400) * 1000);
  if (session->wait_ms && credentials->mode != CREDENTIALS_TOKEN)
    error_usage(L,
                "option 'wait' waits for the login, but %s does not log in: use bip:wait_ready()",
                credentials->mode == CREDENTIALS_GIVEN ? "a session with option 'token'"
                                                       : "auth = \"basic\"");
  if (!credentials_init(credentials) || !login_attach(session)) luaL_error(L, "not enough memory");
  probe_attach(session);
}

/* -- the session -- */

static void set_names(lua_State *L, options *o, f5_session *session) {
  char where[300];
  snprintf(where, sizeof where, "%s:%ld", o->host, o->port);
  session->where = copy(L, where);
  const char *label = string_option(L, 1, "label");
  if (!label) label = o->label;
  session->label = copy(L, label ? label : o->port == 443 ? o->host : where);
  session->ver = copy(L, string_option(L, 1, "ver"));
  session->timeout_ms = o->peer.timeout_ms;
  session->body_limit = o->peer.body_limit;
  session->read_only = boolean_option(L, 1, "read_only", false);
}

static int connected(lua_State *L, int status, lua_KContext context) {
  (void)status;
  f5_operation *op = (f5_operation *)context;
  if (op->call.failure.verdict.kind != KIND_NONE) {
    call_push_error(L, &op->call);
    session_end(op->call.session);
    call_clear(&op->call);
    return lua_error(L);
  }
  call_clear(&op->call);
  lua_settop(L, 2);
  return 1;
}

/* Replaces the table at index 1 by a copy that owns the value of every option: an __index function
 * of the script's table may return a string that nothing else refers to. */
static void copy_options(lua_State *L) {
  lua_newtable(L);
  for (const char *const *name = option_names; *name; name++) {
    lua_getfield(L, 1, *name);
    lua_setfield(L, 2, *name);
  }
  lua_replace(L, 1);
}

/* Reads the options at index 1 that lead to the device. Afterwards the stack holds their copy, the
 * session, which is freed if anything below raises, the preset or another value, and the struct. */
static options *read_target(lua_State *L, bool simulated, bool look, f5_session **session) {
  lua_settop(L, 1);
  if (lua_isnil(L, 1) || lua_type(L, 1) == LUA_TSTRING) { /* f5.connect "bigip1" */
    lua_createtable(L, 0, 1);
    lua_insert(L, 1);
    lua_setfield(L, 1, "host");
  }
  if (!lua_istable(L, 1))
    error_usage(L, "f5.connect: expected a table of options, got a %s", luaL_typename(L, 1));
  check_names(L, 1, option_names, "option");
  copy_options(L);
  f5_core *core = core_of(L);
  if (core->ended)
    error_usage(L, "f5.connect: the program is ending and could not delete the token");
  core->at_exit = session_abandon_all;
  f5_session **box = session_push(L);
  *session = *box = session_new(core);
  if (!*session) luaL_error(L, "not enough memory");
  bool has_preset = lua_rawgetp(L, LUA_REGISTRYINDEX, &preset_key) == LUA_TTABLE && simulated;
  int preset = has_preset ? PRESET : 0;
  options *o = lua_newuserdatauv(L, sizeof *o, 0);
  *o = (options){.simulated = has_preset, .look = look};
  read_address(L, o, preset);
  read_transport(L, o, *session, preset);
  read_retries(L, *session);
  set_names(L, o, *session);
  return o;
}

static void make_peer(lua_State *L, options *o, f5_session *session) {
  char base[300];
  snprintf(base, sizeof base, "https://%s", session->where);
  o->peer.base = base;
  session->peer = http_peer_new(session->core->loop, &o->peer);
  o->peer.base = NULL;
  if (!session->peer) luaL_error(L, "not enough memory");
}

static int log_in(lua_State *L, options *o, f5_session *session) {
  read_auth(L, o, session, o->simulated ? PRESET : 0);
  lua_settop(L, 2);
  if (session->credentials.mode != CREDENTIALS_TOKEN) return 1;
  f5_operation *op = operation_new(L, session, "POST", "/mgmt/shared/authn/login");
  op->call.only_login = true;
  return operation_read(L, op, connected);
}

/* Raises the failure of a greeting. */
static void raise_failure(lua_State *L, const greeting *g, const f5_session *session) {
  f5_failure failure;
  error_place place = {.device = session->label, .attempts = 1};
  failure_from_transport(&failure, &g->http, session->where, false, false);
  failure.verdict.unknown = false;
  error_push_and_clear(L, &failure, &place);
  lua_error(L);
}

/* A device that is starting may be waited for: the login does that. */
static int greeted(lua_State *L, int status, lua_KContext context) {
  const greeting *g = (const greeting *)context;
  options *o = lua_touserdata(L, OPTIONS);
  f5_session *session = *(f5_session **)lua_touserdata(L, SESSION);
  (void)status;
  session_check_open(L, session);
  bool waits = number_option(L, 1, "wait", 0, 0, 86400) > 0 && g->http.failure != HTTP_TLS;
  if (g->http.failure != HTTP_OK && !waits) raise_failure(L, g, session);
  return log_in(L, o, session);
}

/* Whether a user will be asked for a name or a password. */
static bool will_ask(lua_State *L, const options *o) {
  static const char *const names[] = {"username", "password", "token"};
  bool given[3];
  if (o->simulated) return false;
  for (int i = 0; i < 3; i++) {
    given[i] = lua_getfield(L, 1, names[i]) != LUA_TNIL;
    lua_pop(L, 1); /* value */
  }
  bool user = given[0] || environment("F5_USER"), password = given[1] || environment("F5_PASSWORD");
  return !given[2] && !(user && password) && prompt_possible();
}

/* simulated: the options of core.preset, if there are any, replace those that lead to a device. */
static int open_session(lua_State *L, bool simulated) {
  f5_session *session;
  options *o = read_target(L, simulated, false, &session);
  make_peer(L, o, session);
  replay_attach(session);
  if (!session->replayed && will_ask(L, o)) return greeting_await(L, session->peer, greeted);
  return log_in(L, o, session);
}

static int looked(lua_State *L, int status, lua_KContext context) {
  const greeting *g = (const greeting *)context;
  f5_session *session = *(f5_session **)lua_touserdata(L, SESSION);
  (void)status;
  X509 *certificate = session->peer ? http_peer_trust(session->peer)->certificate : NULL;
  bool came = g->http.failure == HTTP_OK || g->http.failure == HTTP_TLS;
  if (!came || !certificate) {
    session_end(session);
    raise_failure(L, g, session);
  }
  facts_push(L, certificate);
  if (g->http.failure == HTTP_TLS && lua_istable(L, -1)) {
    lua_pushstring(L, g->http.error);
    lua_setfield(L, -2, "problem");
  }
  session_end(session);
  return 1;
}

int connect_lua_address(lua_State *L) {
  options o = {0};
  luaL_checktype(L, 1, LUA_TTABLE);
  read_address(L, &o, 0);
  lua_pushfstring(L, "%s:%d", o.host, (int)o.port);
  return 1;
}

int connect_lua_certificate(lua_State *L) {
  f5_session *session;
  options *o = read_target(L, false, true, &session);
  if (has_tls_proxy(&o->peer))
    error_usage(L, "the certificate of %s cannot be shown through a proxy with TLS", o->host);
  o->peer.wanted = NULL;
  o->peer.keep_certificate = true;
  make_peer(L, o, session);
  return greeting_await(L, session->peer, looked);
}

int connect_lua(lua_State *L) {
  return open_session(L, true);
}

int connect_lua_given(lua_State *L) {
  return open_session(L, false);
}

int connect_lua_preset(lua_State *L) {
  if (!lua_isnoneornil(L, 1)) luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &preset_key);
  return 0;
}
