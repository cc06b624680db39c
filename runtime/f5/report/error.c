#include "f5/report/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <lauxlib.h>

#include "base/json.h"
#include "base/push_owned.h"
#include "base/scan.h"
#include "base/text.h"
#include "f5/report/secret.h"

#define PAGE_READ 65536 /* bytes of an answer that is no JSON in which words are looked for */

/* -- the table -- */

typedef enum body_form { ANY, JSON, OTHER } body_form; /* OTHER: HTML, text, nothing */

typedef struct rule {
  long status; /* 0: any; 1 to 9: the whole class */
  body_form form;
  int64_t api_error;   /* 0: any */
  const char *pattern; /* a part of the message; NULL: any; "": the message is empty */
  f5_kind kind;
  f5_again again;
  bool unknown;
} rule;

/* The first that fits. A device that says it does not know the path, is restarting or is busy has
 * done nothing, so a write may be repeated; one that broke off in the middle may have done
 * everything. */
static const rule rules[] = {
    /* what is said whatever the status */
    {0, JSON, 32964609, NULL, KIND_BUSY, AGAIN_ALWAYS, false},
    {0, JSON, 0, "active asynchronous task", KIND_BUSY, AGAIN_ALWAYS, false},
    {0, JSON, 32768001, NULL, KIND_NOT_READY, AGAIN_READ, true},
    {0, JSON, 0, "connection to mcpd has been lost", KIND_NOT_READY, AGAIN_READ, true},
    {0, JSON, 0, "transaction failed:", KIND_TRANSACTION, AGAIN_NEVER, false},
    {0, JSON, 0, "no command to commit in the transaction", KIND_TRANSACTION, AGAIN_NEVER, false},
    {0, JSON, 0, "Found invalid command id", KIND_TRANSACTION, AGAIN_NEVER, false},
    {0, JSON, 0, "is not allowed to be added to transaction", KIND_TRANSACTION, AGAIN_NEVER, false},

    {400, JSON, 0, "TimeoutException", KIND_TIMEOUT, AGAIN_NEVER, true},
    {400, JSON, 0, "remoteSender:", KIND_TIMEOUT, AGAIN_NEVER, true},
    {400, JSON, 0, "maximum active login tokens", KIND_AUTH, AGAIN_NEVER, false},
    {400, JSON, 0, "loginProviderName is invalid", KIND_AUTH, AGAIN_NEVER, false},
    {400, JSON, 0, "loginReference is invalid", KIND_AUTH, AGAIN_NEVER, false},
    {400, ANY, 0, NULL, KIND_INVALID, AGAIN_NEVER, false},

    /* the guide uses 401 for missing rights too; then a new token helps nothing */
    {401, JSON, 0, "assword expired", KIND_AUTH, AGAIN_NEVER, false}, /* nor does it help here */
    {401, JSON, 0, "Authorization failed: user=", KIND_FORBIDDEN, AGAIN_NEVER, false},
    {401, ANY, 0, NULL, KIND_AUTH, AGAIN_LOGIN, false},
    {403, ANY, 0, NULL, KIND_FORBIDDEN, AGAIN_NEVER, false},

    {404, JSON, 0, "not registered", KIND_NOT_READY, AGAIN_ALWAYS, false},
    {404, JSON, 0, "", KIND_NOT_READY, AGAIN_ALWAYS, false},
    {404, JSON, 0, NULL, KIND_NOT_FOUND, AGAIN_NEVER, false},
    {404, OTHER, 0, NULL, KIND_UNSUPPORTED, AGAIN_NEVER,
     false}, /* the web server in front knows no REST at all */

    {405, ANY, 0, NULL, KIND_UNSUPPORTED, AGAIN_NEVER, false},
    {408, ANY, 0, NULL, KIND_TIMEOUT, AGAIN_READ, true},
    {409, ANY, 0, NULL, KIND_CONFLICT, AGAIN_NEVER, false},
    {410, ANY, 0, NULL, KIND_NOT_FOUND, AGAIN_NEVER, false},
    {412, ANY, 0, NULL, KIND_CONFLICT, AGAIN_NEVER, false},
    {429, ANY, 0, NULL, KIND_BUSY, AGAIN_ALWAYS, false},
    {4, ANY, 0, NULL, KIND_INVALID, AGAIN_NEVER, false},

    {500, JSON, 0, "Configuration error", KIND_INVALID, AGAIN_NEVER, false},
    {500, JSON, 3, NULL, KIND_INVALID, AGAIN_NEVER, false},
    {501, ANY, 0, NULL, KIND_UNSUPPORTED, AGAIN_NEVER, false},
    {502, ANY, 0, NULL, KIND_TRANSPORT, AGAIN_READ, true},
    {503, ANY, 0, NULL, KIND_NOT_READY, AGAIN_ALWAYS, false},
    {504, ANY, 0, NULL, KIND_TRANSPORT, AGAIN_READ, true},
    {5, ANY, 0, NULL, KIND_PROTOCOL, AGAIN_READ, false},

    {0, ANY, 0, NULL, KIND_PROTOCOL, AGAIN_NEVER, false}, /* 1xx, 3xx: no REST service answers so */
};

static f5_verdict judge(long status, bool json, int64_t api_error, const char *message) {
  const rule *r = rules;
  for (;; r++) { /* the last one fits everything */
    if (r->status && r->status != status && r->status != status / 100) continue;
    if (r->form != ANY && (r->form == JSON) != json) continue;
    if (r->api_error && r->api_error != api_error) continue;
    if (r->pattern && !(*r->pattern ? strstr(message, r->pattern) != NULL : *message == '\0'))
      continue;
    return (f5_verdict){r->kind, r->again, r->unknown};
  }
}

static const char *const kind_names[KIND_COUNT] = {
    [KIND_NONE] = "none",
    [KIND_NOT_FOUND] = "not_found",
    [KIND_CONFLICT] = "conflict",
    [KIND_INVALID] = "invalid",
    [KIND_AUTH] = "auth",
    [KIND_FORBIDDEN] = "forbidden",
    [KIND_UNSUPPORTED] = "unsupported",
    [KIND_NOT_READY] = "not_ready",
    [KIND_BUSY] = "busy",
    [KIND_TIMEOUT] = "timeout",
    [KIND_TRANSPORT] = "transport",
    [KIND_TLS] = "tls",
    [KIND_TRANSACTION] = "transaction",
    [KIND_TASK] = "task",
    [KIND_TRANSFER] = "transfer",
    [KIND_CANCELLED] = "cancelled",
    [KIND_PROTOCOL] = "protocol",
    [KIND_USAGE] = "usage",
};

const char *error_kind_name(f5_kind kind) {
  return kind_names[kind];
}

/* -- failures -- */

/* The masked text as a string of its own; NULL without memory. */
static char *masked_copy(const char *string, size_t length) {
  text out = {0};
  secret_mask(&out, string, length);
  if (out.failed) text_free(&out);
  return out.data;
}

void error_clear(f5_failure *failure) {
  if (failure->cause) {
    error_clear(failure->cause);
    free(failure->cause);
  }
  free(failure->message);
  free(failure->error_stack);
  free(failure->method);
  free(failure->path);
  *failure = (f5_failure){0};
}

static char *copy_string(const char *string) {
  return string ? strdup(string) : NULL;
}

void error_copy(f5_failure *to, const f5_failure *from) {
  *to = *from;
  to->message = copy_string(from->message);
  to->error_stack = copy_string(from->error_stack);
  to->method = copy_string(from->method);
  to->path = copy_string(from->path);
  to->cause = from->cause ? malloc(sizeof *to->cause) : NULL;
  if (to->cause) error_copy(to->cause, from->cause);
}

void error_set(f5_failure *failure, f5_kind kind, const char *format, ...) {
  char message[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  *failure = (f5_failure){.verdict = {kind, AGAIN_NEVER, false}};
  failure->message = masked_copy(message, strlen(message));
}

void error_prefix(f5_failure *failure, const char *format, ...) {
  char words[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(words, sizeof words, format, arguments);
  va_end(arguments);
  text message = {0};
  text_put(&message, words);
  text_put(&message, failure->message ? failure->message : "not enough memory to say why");
  if (message.failed) return;
  free(failure->message);
  failure->message = message.data;
}

/* The text of an HTML page, or of anything else that is no JSON, on one line and not too long. */
static void plain_words(text *out, const char *body, size_t length) {
  const size_t most = 200;
  bool space = false;
  for (size_t i = 0; i < length && out->length < most; i++) {
    char c = body[i];
    if (c == '<') {
      const char *end = memchr(body + i, '>', length - i);
      if (end) {
        i = (size_t)(end - body);
        space = true;
        continue;
      }
    }
    if ((unsigned char)c <= ' ') {
      space = true;
      continue;
    }
    if (space && out->length) text_char(out, ' ');
    space = false;
    text_char(out, c);
  }
}

void error_from_answer(f5_failure *failure, long status, const char *body, size_t length) {
  *failure = (f5_failure){.status = status};
  scan_value value;
  text message = {0}, stack = {0};
  bool json = scan_looks_json(body, length);
  if (json) {
    if (scan_find(body, length, "message", &value)) scan_string(&value, &message);
    if (scan_find(body, length, "code", &value)) scan_integer(&value, &failure->code);
    if (scan_find(body, length, "apiError", &value)) scan_integer(&value, &failure->api_error);
    if (scan_find(body, length, "errorStack", &value) && value.length > 2 && *value.start == '[')
      secret_mask(&stack, value.start, value.length);
    failure->verdict = judge(status, true, failure->api_error, text_string(&message));
    if (!message.length && status == 404)
      text_put(&message,
               "nothing there answers (a service of the device is down or still starting)");
  } else {
    failure->verdict = judge(status, false, 0, "");
    /* masked before tags and what is too much go: half a secret is still one */
    text page = {0};
    secret_mask(&page, body, length < PAGE_READ ? length : PAGE_READ);
    plain_words(&message, text_string(&page), page.length);
    text_free(&page);
  }
  if (status == 401 && strstr(text_string(&message), "assword expired"))
    text_put(&message, " (bip:change_password{ new = … } sets another one)");
  if (!message.length) text_printf(&message, "the device answered %ld without a reason", status);
  if (strstr(text_string(&message), "TimeoutException") ||
      strncmp(text_string(&message), "remoteSender:", 13) == 0) {
    /* its text is a stack of the device's own program */
    text_clear(&message);
    text_put(&message, "the device cut off the call because it took too long (look what came of "
                       "it; bip:task does such work "
                       "without a limit)");
  }
  f5_kind kind = failure->verdict.kind;
  failure->passing = kind == KIND_NOT_READY || kind == KIND_BUSY || kind == KIND_TRANSPORT ||
                     (status >= 500 && kind == KIND_PROTOCOL);
  failure->message = masked_copy(text_string(&message), message.length);
  if (stack.failed) text_free(&stack);
  failure->error_stack = stack.data;
  text_free(&message);
}

/* "https://host:port/path" -> whether it is at `where`, "host:port". */
static bool leads_to(const char *location, const char *where) {
  if (strncasecmp(location, "https://", 8) != 0) return location[0] == '/' && location[1] != '/';
  size_t length = strcspn(location + 8, "/?#"),
         name = strrchr(where, ':') ? (size_t)(strrchr(where, ':') - where) : 0;
  if (strncasecmp(location + 8, where, length) != 0) return false;
  return length == strlen(where) || (length == name && strcmp(where + name, ":443") == 0);
}

void error_from_redirect(f5_failure *failure, long status, const char *location,
                         const char *where) {
  *failure = (f5_failure){.status = status, .verdict = {KIND_PROTOCOL, AGAIN_NEVER, false}};
  text message = {0};
  if (*location)
    text_printf(&message,
                "%s points to %s, which is not followed: password and token would go there", where,
                location);
  else
    text_printf(&message, "%s points elsewhere and does not say where", where);
  if (strncasecmp(location, "http://", 7) == 0)
    text_put(&message, ", unencrypted. iControl REST is served over HTTPS alone: is this host a "
                       "BIG-IP's management?");
  else if (!*location || leads_to(location, where))
    text_put(&message, ". What answers is not the REST service: are host and port those of a "
                       "BIG-IP's management?");
  else
    text_put(&message, ". If the device is there, name it so: host = \"NAME:PORT\"");
  failure->message = masked_copy(text_string(&message), message.length);
  text_free(&message);
}

/* Whether a device that starts may be the reason. A name, a certificate or a password that is wrong
 * will not be right later. */
static bool may_pass(const http_request *request) {
  static const char *const lasting[] = {" alert ", "wrong version number", "resolve proxy",
                                        "Unsupported proxy"};
  if (request->untrusted) return false;
  switch (request->failure) {
  case HTTP_CONNECT:
  case HTTP_TLS:
    for (size_t i = 0; i < sizeof lasting / sizeof *lasting; i++)
      if (strstr(request->error, lasting[i])) return false;
    return true;
  case HTTP_PROXY:
    return request->status / 100 == 5;
  default:
    return request->failure == HTTP_TIMEOUT || request->failure == HTTP_BROKEN;
  }
}

void error_from_transport(f5_failure *failure, const http_request *request, const char *where,
                          bool write, bool reached) {
  text message = {0};
  *failure = (f5_failure){.verdict = {KIND_TRANSPORT, AGAIN_READ, false}};
  f5_again if_reached = reached ? AGAIN_ALWAYS : AGAIN_NEVER;
  switch (request->failure) {
  case HTTP_RESOLVE:
    text_printf(&message, "the name of %s cannot be resolved", where);
    failure->verdict.again = if_reached;
    break;
  case HTTP_CONNECT:
    text_printf(&message, "cannot connect to %s", where);
    failure->verdict.again = if_reached;
    break;
  case HTTP_PROXY:
    if (request->status == 407)
      text_printf(&message,
                  "the proxy before %s wants a user and a password, or others than it was given: "
                  "proxy = \"http://USER:PASSWORD@HOST:PORT\"",
                  where);
    else
      text_printf(&message, "the proxy does not connect us to %s", where);
    failure->verdict.again = request->status / 100 == 5 ? if_reached : AGAIN_NEVER;
    break;
  case HTTP_TLS:
    text_printf(&message, "no secure connection to %s", where);
    failure->verdict =
        (f5_verdict){KIND_TLS, request->sent && reached ? AGAIN_READ : if_reached, false};
    break;
  case HTTP_TIMEOUT:
    text_printf(&message, "no answer from %s in time", where);
    failure->verdict =
        (f5_verdict){KIND_TIMEOUT, request->sent ? AGAIN_READ : if_reached, request->sent};
    break;
  case HTTP_BROKEN:
    text_printf(&message, "%s broke off the connection", where);
    failure->verdict.again = request->sent ? AGAIN_READ : AGAIN_ALWAYS;
    failure->verdict.unknown = request->sent;
    break;
  case HTTP_TOO_LARGE:
    text_put(&message, "the answer is too large for the option body_limit");
    failure->verdict = (f5_verdict){KIND_PROTOCOL, AGAIN_NEVER, request->sent};
    break;
  case HTTP_FILE:
    text_put(&message, "a local file could not be read or written");
    failure->verdict = (f5_verdict){KIND_TRANSFER, AGAIN_NEVER, false};
    break;
  case HTTP_CANCELLED:
    text_put(&message, "cancelled");
    failure->verdict = (f5_verdict){KIND_CANCELLED, AGAIN_NEVER, request->sent};
    break;
  case HTTP_INTERNAL:
  case HTTP_OK:
    text_put(&message, "the request could not be made");
    failure->verdict.again = AGAIN_NEVER;
    break;
  }
  if (*request->error) text_printf(&message, " (%s)", request->error);
  if (!write) failure->verdict.unknown = false;
  failure->passing = may_pass(request);
  failure->message = masked_copy(text_string(&message), message.length);
  text_free(&message);
}

/* -- error objects -- */

#define ERROR_NAME "f5.error"

static void push_masked(lua_State *L, const char *string, size_t length) {
  text masked = {0};
  secret_mask(&masked, string, length);
  push_owned_text(L, &masked);
}

static void set_masked(lua_State *L, const char *field, const char *value) {
  if (!value) return;
  push_masked(L, value, strlen(value));
  lua_setfield(L, -2, field);
}

static void set_number(lua_State *L, const char *field, int64_t value) {
  if (!value) return;
  lua_pushinteger(L, value);
  lua_setfield(L, -2, field);
}

static void push_failure(lua_State *L, const f5_failure *failure, const error_place *place,
                         unsigned depth) {
  lua_createtable(L, 0, 12);
  lua_pushstring(L, error_kind_name(failure->verdict.kind));
  lua_setfield(L, -2, "kind");
  set_masked(L, "device", place->device);
  set_masked(L, "method", failure->method ? failure->method : place->method);
  set_masked(L, "path", failure->path ? failure->path : place->path);
  set_number(L, "status", failure->status);
  set_number(L, "code", failure->code);
  set_number(L, "api_error", failure->api_error);
  set_number(L, "attempts", failure->attempts ? failure->attempts : place->attempts);
  lua_pushstring(L, failure->message ? failure->message : "not enough memory to say why");
  if (failure->verdict.unknown) {
    lua_pushliteral(L, "; outcome unknown: the device may have carried it out");
    lua_concat(L, 2);
    lua_pushliteral(L, "unknown");
    lua_setfield(L, -3, "outcome");
  }
  lua_setfield(L, -2, "message");
  if (failure->error_stack) {
    size_t length = strlen(failure->error_stack);
    char *stack = lua_newuserdatauv(L, length + 1, 0); /* the decoder writes into it */
    memcpy(stack, failure->error_stack, length + 1);
    if (json_decode(L, stack, length))
      lua_setfield(L, -3, "error_stack");
    else
      lua_pop(L, 1); /* message of the decoder */
    lua_pop(L, 1);   /* copy */
  }
  if (failure->cause && depth < 4) {
    push_failure(L, failure->cause, &(error_place){.device = place->device}, depth + 1);
    lua_setfield(L, -2, "cause");
  }
  luaL_setmetatable(L, ERROR_NAME);
}

void error_push(lua_State *L, const f5_failure *failure, const error_place *place) {
  luaL_checkstack(L, 8, "error object");
  push_failure(L, failure, place, 0);
}

typedef struct pushed {
  f5_failure *failure;
  const error_place *place;
} pushed;

static int push_pushed(lua_State *L) {
  const pushed *what = lua_touserdata(L, 1);
  error_push(L, what->failure, what->place);
  return 1;
}

static void clear_pushed(void *data) {
  error_clear(((pushed *)data)->failure);
}

void error_push_and_clear(lua_State *L, f5_failure *failure, const error_place *place) {
  push_owned(L, push_pushed, &(pushed){failure, place}, clear_pushed);
}

bool error_is(lua_State *L, int index) {
  if (!lua_getmetatable(L, index)) return false;
  luaL_getmetatable(L, ERROR_NAME);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2); /* metatables */
  return same;
}

/* "playbook.lua:12: " of the innermost line that is the script's own; what is compiled into the
 * program has chunk names that start with "=lualib/". */
void error_push_script_line(lua_State *L) {
  lua_Debug frame;
  for (int level = 1; lua_getstack(L, level, &frame); level++) {
    lua_getinfo(L, "Sl", &frame);
    if (frame.currentline > 0 && strncmp(frame.source, "=lualib/", 8) != 0) {
      lua_pushfstring(L, "%s:%d: ", frame.short_src, frame.currentline);
      return;
    }
  }
  lua_pushliteral(L, "");
}

/* With the message on top of the stack (popped). */
static int raise_usage(lua_State *L) {
  error_push_script_line(L);
  lua_insert(L, -2);
  lua_concat(L, 2);
  lua_createtable(L, 0, 2);
  lua_insert(L, -2);
  size_t length;
  const char *message = lua_tolstring(L, -1, &length);
  push_masked(L, message, length);
  lua_setfield(L, -3, "message");
  lua_pop(L, 1); /* the unmasked one */
  lua_pushstring(L, error_kind_name(KIND_USAGE));
  lua_setfield(L, -2, "kind");
  luaL_setmetatable(L, ERROR_NAME);
  return lua_error(L);
}

int error_usage(lua_State *L, const char *format, ...) {
  char message[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  luaL_checkstack(L, 6, "error object");
  lua_pushstring(L, message);
  return raise_usage(L);
}

/* Edits (insert, delete, replace, swap of neighbours) between two names; `most` and more are the
 * same. */
static unsigned distance(const char *a, const char *b, unsigned most) {
  size_t n = strlen(a), m = strlen(b);
  unsigned rows[3][64];
  if (n >= 64 || m >= 64) return most;
  for (size_t j = 0; j <= m; j++)
    rows[0][j] = (unsigned)j;
  for (size_t i = 1; i <= n; i++) {
    unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
    row[0] = (unsigned)i;
    for (size_t j = 1; j <= m; j++) {
      unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);
      if (above[j] + 1 < best) best = above[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
          before[j - 2] + 1 < best)
        best = before[j - 2] + 1;
      row[j] = best;
    }
  }
  return rows[n % 3][m] < most ? rows[n % 3][m] : most;
}

int error_unknown(lua_State *L, const char *what, const char *name, const char *const *known) {
  const char *nearest = NULL;
  unsigned least = 4;
  for (; *known; known++) {
    size_t shorter = strlen(name) < strlen(*known) ? strlen(name) : strlen(*known);
    bool begins = shorter >= 3 && strncmp(name, *known, shorter) ==
                                      0; /* "pass" is nearer to "password" than to "port" */
    unsigned edits = begins ? 1 : distance(name, *known, 4);
    if (edits < least && (begins || edits * 2 <= strlen(*known))) {
      least = edits;
      nearest = *known;
    }
  }
  if (nearest) return error_usage(L, "unknown %s '%s'; did you mean '%s'?", what, name, nearest);
  return error_usage(L, "unknown %s '%s'", what, name);
}

int error_push_cancelled(lua_State *L) {
  f5_failure failure;
  error_set(&failure, KIND_CANCELLED, "cancelled");
  error_push_and_clear(L, &failure, &(error_place){0});
  return 1;
}

int error_lua_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_getfield(L, 1, "kind");
  const char *kind = lua_tostring(L, -1);
  bool known = false;
  for (int i = KIND_NOT_FOUND; kind && i < KIND_COUNT; i++)
    known = known || strcmp(kind, kind_names[i]) == 0;
  if (!known)
    return luaL_error(L, "error_new: no such kind of error: %s",
                      kind ? kind : luaL_typename(L, -1));
  lua_getfield(L, 1, "message");
  size_t length;
  const char *message = lua_tolstring(L, -1, &length);
  if (message) {
    push_masked(L, message, length);
    lua_setfield(L, 1, "message");
  }
  lua_settop(L, 1);
  luaL_setmetatable(L, ERROR_NAME);
  return 1;
}

int error_lua_usage(lua_State *L) {
  lua_settop(L, 2);
  luaL_tolstring(L, lua_isstring(L, 2) ? 2 : 1, NULL);
  return raise_usage(L);
}

/* Appends "value: " of a field if there is one. */
static void add_part(luaL_Buffer *b, lua_State *L, const char *field, const char *behind) {
  lua_getfield(L, 1, field);
  if (lua_isnil(L, -1) || (!lua_isstring(L, -1))) {
    lua_pop(L, 1);
    return;
  }
  lua_tostring(L, -1);
  luaL_addvalue(b);
  luaL_addstring(b, behind);
}

/* bigip1: GET /mgmt/tm/ltm/pool/~Common~web: 404 not_found: 01020036:3: The requested Pool … (after
 * 3 attempts) */
static int error_tostring(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_getfield(L, 1, "kind");
  bool usage = lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "usage") == 0;
  lua_getfield(L, 1, "attempts");
  lua_Integer attempts = lua_tointeger(L, -1);
  lua_getfield(L, 1, "cause");
  int cause = lua_gettop(L);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  if (!usage) {
    add_part(&b, L, "device", ": ");
    add_part(&b, L, "method", " ");
    add_part(&b, L, "path", ": ");
    add_part(&b, L, "status", " ");
    add_part(&b, L, "kind", ": ");
  }
  add_part(&b, L, "message", "");
  if (attempts > 1) {
    lua_pushfstring(L, " (after %I attempts)", attempts);
    luaL_addvalue(&b);
  }
  if (!lua_isnil(L, cause)) {
    luaL_addstring(&b, "; because of ");
    luaL_tolstring(L, cause, NULL);
    luaL_addvalue(&b);
  }
  luaL_pushresult(&b);
  return 1;
}

void error_setup(lua_State *L) {
  static const luaL_Reg methods[] = {{"__tostring", error_tostring}, {NULL, NULL}};
  if (luaL_newmetatable(L, ERROR_NAME)) luaL_setfuncs(L, methods, 0);
  lua_pop(L, 1); /* metatable */
}
