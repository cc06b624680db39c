#include "f5/session/auth.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/scan.h"
#include "f5/report/log.h"
#include "f5/rest/uri.h"
#include "f5/session/session.h"

#define LOGIN_PATH "/mgmt/shared/authn/login"
#define TOKENS_PATH "/mgmt/shared/authz/tokens/"
#define USUAL_LIFETIME 1200000                 /* ms, when the device does not say */
#define LONGEST_LIFETIME (INT64_MAX / 1000000) /* ms; what a device says beyond it is no time */
#define LEAST_MARGIN                                                                               \
  60000                     /* ms before its end that a token is replaced; a tenth of a short life \
                             */
#define LEAST_USE 500       /* ms that a token is used that is old when it comes */
#define DELETE_TIMEOUT 5000 /* ms; nobody waits long for a logout */

static void start_login(f5_session *session);

/* -- tokens -- */

static void token_free(f5_token *token) {
  if (!token) return;
  call_clear(&token->call);
  secret_free(token->value);
  secret_free(token->header);
  secret_free(token->path);
  free(token);
}

static f5_token *token_new(f5_session *session, const char *value, size_t length) {
  f5_token *token = calloc(1, sizeof *token);
  if (!token) return NULL;
  token->session = session;
  text path = secret_text(sizeof TOKENS_PATH + 3 * length);
  text_put(&path, TOKENS_PATH);
  uri_encode(&path, value, length);
  token->value = secret_new(value, length);
  if (token->value) {
    token->header =
        secret_quiet((const char *const[]){"X-F5-Auth-Token: ", secret_string(token->value)}, 2);
    token->path = secret_quiet((const char *const[]){text_string(&path)}, 1);
  }
  bool whole = token->header && token->path && !path.failed;
  secret_text_free(&path);
  if (whole) return token;
  token_free(token);
  return NULL;
}

static void take_out(f5_token *token) {
  for (f5_token **at = &token->session->auth.replaced; *at; at = &(*at)->next)
    if (*at == token) {
      *at = token->next;
      return;
    }
}

/* A user who runs out of tokens on a device must be able to find out whose they are. */
static void tell_left(const f5_token *token, const char *why) {
  const f5_session *session = token->session;
  const f5_auth *auth = &session->auth;
  uint64_t now = loop_now(session->core->loop);
  if (token->dead || token->expires <= now) return;
  log_warning(session,
              "the token of %s could not be deleted (%s) and may be valid for up to %" PRIu64
              " s more. It expires by itself; an administrator can end it sooner at " TOKENS_PATH,
              auth->username, why, (token->expires - now + 999) / 1000);
}

static void deleted(f5_call *call) {
  f5_token *token = call->owner;
  f5_session *session = token->session;
  f5_kind kind = call->failure.verdict.kind;
  /* 401 and 404: it is gone already */
  if (kind != KIND_NONE && kind != KIND_AUTH && kind != KIND_NOT_FOUND)
    tell_left(token,
              call->failure.message ? call->failure.message : "not enough memory to say why");
  take_out(token);
  token_free(token);
  session_step(session);
}

/* Deletes a token that nobody uses any more. */
static void discard(f5_token *token) {
  if (token->deleting) return;
  if (token->dead) {
    take_out(token);
    token_free(token);
    return;
  }
  token->deleting = true;
  f5_call *call = &token->call;
  call_init(call, token->session, "DELETE", secret_string(token->path));
  call->internal = true;
  call->owner = token;
  call->http.timeout_ms = DELETE_TIMEOUT;
  call->done = deleted;
  call_start(call);
}

/* It is in force no more; it goes when its last call has ended. */
static void replace(f5_token *token) {
  f5_auth *auth = &token->session->auth;
  token->next = auth->replaced;
  auth->replaced = token;
  if (auth->token == token) auth->token = NULL;
  if (token->users == 0) discard(token);
}

/* -- login -- */

static void login_failed(f5_session *session, const f5_failure *reason) {
  f5_auth *auth = &session->auth;
  f5_failure failure;
  failure_copy(&failure, reason); /* it lies in the call that is cleared here */
  if (!failure.method) {
    failure.attempts = auth->call.attempts;
    failure.method = strdup(auth->call.http.method);
    failure.path = strdup(auth->login == LOGIN_EXTENDS ? TOKENS_PATH SECRET_MASK : LOGIN_PATH);
  }
  call_clear(&auth->call);
  secret_free(auth->body);
  auth->body = NULL;
  auth->login = LOGIN_NONE;
  f5_call *waiter = auth->waiters;
  auth->waiters = auth->last_waiter = NULL;
  while (waiter) {
    f5_call *next = waiter->next_waiter;
    call_authorized(waiter, &failure);
    waiter = next;
  }
  failure_clear(&failure);
  if (auth->fresh) {
    f5_token *token = auth->fresh;
    auth->fresh = NULL;
    replace(token);
  }
  session_step(session);
}

static void login_succeeded(f5_session *session) {
  f5_auth *auth = &session->auth;
  session->wait_ms = 0;
  f5_token *token = auth->fresh;
  auth->fresh = NULL;
  call_clear(&auth->call);
  secret_free(auth->body);
  auth->body = NULL;
  auth->login = LOGIN_NONE;
  if (session->phase != SESSION_OPEN) {
    replace(token); /* its waiters were told that the session is closed */
    return;
  }
  if (auth->token) replace(auth->token);
  auth->token = token;
  /* Its waiters use it in any case: else a life shorter than the login takes would be renewed for
   * ever. */
  uint64_t now = loop_now(session->core->loop);
  if (token->renew <= now) token->renew = now + LEAST_USE;
  f5_call *waiter = auth->waiters;
  auth->waiters = auth->last_waiter = NULL;
  while (waiter) {
    f5_call *next = waiter->next_waiter;
    call_authorized(waiter, NULL);
    waiter = next;
  }
}

static void set_lifetime(f5_token *token, uint64_t asked, int64_t lifetime_ms) {
  if (lifetime_ms <= 0) lifetime_ms = USUAL_LIFETIME;
  if (lifetime_ms > LONGEST_LIFETIME) lifetime_ms = LONGEST_LIFETIME;
  uint64_t life = (uint64_t)lifetime_ms,
           margin = life / 10 < LEAST_MARGIN ? life / 10 : LEAST_MARGIN;
  token->expires = asked + life;
  token->renew = token->expires - margin;
}

/* How long the token lives, by the device's clock: its time is not ours. prefix: "token." in the
 * login's answer. */
static int64_t read_lifetime(const char *json, size_t length, bool login) {
  scan_value value;
  int64_t from, to, seconds;
  if (scan_find(json, length, login ? "token.expirationMicros" : "expirationMicros", &value) &&
      scan_integer(&value, &to) &&
      scan_find(json, length, login ? "token.lastUpdateMicros" : "lastUpdateMicros", &value) &&
      scan_integer(&value, &from) && to > from)
    return to / 1000 - from / 1000;
  if (scan_find(json, length, login ? "token.timeout" : "timeout", &value) &&
      scan_integer(&value, &seconds))
    return seconds < LONGEST_LIFETIME / 1000 ? seconds * 1000 : LONGEST_LIFETIME;
  return 0;
}

static void extended(f5_call *call) {
  f5_session *session = call->session;
  f5_auth *auth = &session->auth;
  if (call->failure.verdict.kind != KIND_NONE) {
    login_failed(session, &call->failure);
    return;
  }
  int64_t lifetime =
      read_lifetime(call->http.answer ? call->http.answer : "", call->http.answer_length, false);
  set_lifetime(auth->fresh, auth->asked,
               lifetime ? lifetime : (int64_t)auth->token_lifetime * 1000);
  if (call->http.answer) secret_wipe(call->http.answer, call->http.answer_length);
  login_succeeded(session);
}

static void start_extension(f5_session *session) {
  f5_auth *auth = &session->auth;
  char body[64];
  snprintf(body, sizeof body, "{\"timeout\":%ld}", auth->token_lifetime);
  secret_free(auth->body);
  auth->body = secret_quiet((const char *const[]){body}, 1);
  call_clear(&auth->call);
  auth->login = LOGIN_EXTENDS;
  auth->asked = loop_now(session->core->loop);
  call_init(&auth->call, session, "PATCH", secret_string(auth->fresh->path));
  auth->call.http.body = auth->body ? secret_string(auth->body) : "{}";
  auth->call.http.body_length = auth->body ? secret_length(auth->body) : 2;
  auth->call.internal = true;
  auth->call.owner = auth->fresh;
  auth->call.done = extended;
  call_start(&auth->call);
}

/* It goes into a header line: a device that is none must not put its own lines there. */
static bool fits_header(const text *token) {
  for (size_t i = 0; i < token->length; i++)
    if (token->data[i] <= ' ' || token->data[i] > '~') return false;
  return token->length > 0 && !token->failed;
}

/* Before the observer sees the answer: from now on the token is masked. */
static void login_arrived(f5_call *call) {
  f5_auth *auth = &call->session->auth;
  const http_request *request = &call->http;
  scan_value value;
  if (request->status / 100 != 2 || !request->answer || auth->fresh ||
      !scan_find(request->answer, request->answer_length, "token.token", &value))
    return;
  text token = secret_text(value.length);
  if (scan_string(&value, &token) && fits_header(&token))
    auth->fresh = token_new(call->session, token.data, token.length);
  secret_text_free(&token);
  if (auth->fresh)
    set_lifetime(auth->fresh, auth->asked,
                 read_lifetime(request->answer, request->answer_length, true));
}

static void logged_in(f5_call *call) {
  f5_session *session = call->session;
  f5_auth *auth = &session->auth;
  if (call->failure.verdict.kind == KIND_NONE) {
    if (call->http.answer) secret_wipe(call->http.answer, call->http.answer_length);
    if (!auth->fresh) {
      f5_failure failure;
      failure_set(
          &failure, KIND_PROTOCOL,
          "the answer to the login holds no token: is this the management address of a BIG-IP?");
      failure.status = call->http.status;
      login_failed(session, &failure);
      failure_clear(&failure);
    } else if (auth->token_lifetime > 0 && session->phase == SESSION_OPEN) {
      start_extension(session);
    } else {
      login_succeeded(session);
    }
    return;
  }
  if (call->http.status == 401 && !auth->with_basic &&
      strstr(call->failure.message ? call->failure.message : "", "no user authentication header")) {
    auth->with_basic = true; /* 12.0 wants to know us before it lets us in */
    call_clear(call);
    start_login(session);
    return;
  }
  if (call->patience && call->failure.passing && session->phase == SESSION_OPEN)
    failure_prefix(&call->failure, "not up after %g s: ", (double)call->patience / 1000);
  login_failed(session, &call->failure);
}

static secret *login_body(const f5_auth *auth) {
  text user = {0}, provider = {0};
  text_json(&user, auth->username, strlen(auth->username));
  if (auth->login_reference) {
    text_put(&provider, "\"loginReference\":{\"link\":\"");
    text_json(&provider, auth->login_reference, strlen(auth->login_reference));
    text_put(&provider, "\"}}");
  } else {
    const char *name = auth->provider ? auth->provider : "tmos";
    text_put(&provider, "\"loginProviderName\":\"");
    text_json(&provider, name, strlen(name));
    text_put(&provider, "\"}");
  }
  const char *const parts[] = {"{\"username\":\"",
                               text_string(&user),
                               "\",\"password\":\"",
                               secret_json(auth->password),
                               "\",",
                               text_string(&provider)};
  secret *body =
      user.failed || provider.failed ? NULL : secret_quiet(parts, sizeof parts / sizeof *parts);
  text_free(&user);
  text_free(&provider);
  return body;
}

static void start_login(f5_session *session) {
  f5_auth *auth = &session->auth;
  secret_free(auth->body);
  auth->body = login_body(auth);
  auth->login = LOGIN_SENT;
  auth->asked = loop_now(session->core->loop);
  call_init(&auth->call, session, "POST", LOGIN_PATH);
  auth->call.http.body = auth->body ? secret_string(auth->body) : "{}";
  auth->call.http.body_length = auth->body ? secret_length(auth->body) : 2;
  auth->call.internal = true;
  auth->call.patience = session->wait_ms;
  auth->call.arrived = login_arrived;
  auth->call.done = logged_in;
  call_start(&auth->call);
}

/* -- for call.c and shutdown.c -- */

static secret *base64_header(const char *username, const secret *password, secret **masked) {
  size_t user = strlen(username), length = user + 1 + secret_length(password);
  text plain = secret_text(length), encoded = secret_text((length + 2) / 3 * 4);
  secret *header = NULL;
  if (!plain.failed && !encoded.failed) {
    text_put(&plain, username);
    text_char(&plain, ':');
    text_add(&plain, secret_string(password), secret_length(password));
    EVP_EncodeBlock((unsigned char *)encoded.data, (const unsigned char *)plain.data, (int)length);
    header = secret_quiet((const char *const[]){"Authorization: Basic ", encoded.data}, 2);
    *masked = secret_new(encoded.data, strlen(encoded.data));
    if (!*masked) { /* what cannot be masked is not used */
      secret_free(header);
      header = NULL;
    }
  }
  secret_text_free(&plain);
  secret_text_free(&encoded);
  return header;
}

bool auth_init(f5_auth *auth) {
  if (auth->mode == AUTH_GIVEN) return auth->given != NULL;
  auth->basic = base64_header(auth->username, auth->password, &auth->masked);
  return auth->basic != NULL;
}

bool auth_set_password(f5_session *session, const char *password, size_t length) {
  f5_auth *auth = &session->auth;
  if (auth->mode == AUTH_GIVEN) return true;
  f5_auth fresh = {
      .mode = auth->mode, .username = auth->username, .password = secret_new(password, length)};
  secret **retired = realloc(auth->retired, (auth->retired_count + 3) * sizeof *retired);
  if (retired) auth->retired = retired;
  if (!retired || !fresh.password || !auth_init(&fresh)) {
    secret_free(fresh.password);
    return false;
  }
  if (strcmp(secret_string(fresh.password), auth->username) == 0) secret_unmask(fresh.password);
  retired[auth->retired_count++] = auth->password;
  retired[auth->retired_count++] = auth->basic;
  retired[auth->retired_count++] = auth->masked;
  auth->password = fresh.password;
  auth->basic = fresh.basic;
  auth->masked = fresh.masked;
  return true;
}

bool auth_prepare(f5_call *call) {
  f5_session *session = call->session;
  f5_auth *auth = &session->auth;
  if (auth->mode != AUTH_TOKEN) return true;
  if (auth->token && loop_now(session->core->loop) < auth->token->renew) {
    call->token = auth->token;
    auth->token->users++;
    return true;
  }
  call->next_waiter = NULL;
  if (auth->last_waiter)
    auth->last_waiter->next_waiter = call;
  else
    auth->waiters = call;
  auth->last_waiter = call;
  if (auth->login == LOGIN_NONE) start_login(session);
  return false;
}

const char *auth_header(const f5_call *call) {
  const f5_auth *auth = &call->session->auth;
  if (call->internal) {
    const f5_token *own = call->owner;
    if (own) return secret_string(own->header);
    return auth->with_basic && auth->basic ? secret_string(auth->basic) : NULL;
  }
  if (auth->mode == AUTH_BASIC) return secret_string(auth->basic);
  if (auth->mode == AUTH_GIVEN) return secret_string(auth->given);
  return call->token ? secret_string(call->token->header) : NULL;
}

void auth_release(f5_call *call) {
  f5_token *token = call->token;
  if (!token) return;
  call->token = NULL;
  token->users--;
  if (token->users == 0 && token != token->session->auth.token) {
    f5_session *session = token->session;
    discard(token);
    session_step(session);
  }
}

bool auth_renewable(f5_call *call) {
  f5_auth *auth = &call->session->auth;
  if (auth->mode != AUTH_TOKEN || !call->token) return false;
  call->token->dead = true;
  if (auth->token == call->token)
    replace(call->token); /* this call still uses it: it stays until auth_release */
  return true;
}

void auth_forget(f5_call *call) {
  f5_auth *auth = &call->session->auth;
  f5_call *before = NULL;
  for (f5_call *at = auth->waiters; at; before = at, at = at->next_waiter) {
    if (at != call) continue;
    if (before)
      before->next_waiter = at->next_waiter;
    else
      auth->waiters = at->next_waiter;
    if (auth->last_waiter == at) auth->last_waiter = before;
    return;
  }
}

void auth_end(f5_session *session) {
  if (session->auth.token) replace(session->auth.token);
}

void auth_tell_left(const f5_session *session) {
  static const char *const why = "there was no more time for it";
  const f5_auth *auth = &session->auth;
  if (auth->token) tell_left(auth->token, why);
  if (auth->fresh) tell_left(auth->fresh, why);
  for (const f5_token *token = auth->replaced; token; token = token->next)
    tell_left(token, why);
  if (auth->login == LOGIN_SENT)
    log_warning(
        session,
        "a login of %s was still under way: it may have left a token, which expires by itself",
        auth->username);
}

bool auth_ended(const f5_session *session) {
  const f5_auth *auth = &session->auth;
  return auth->login == LOGIN_NONE && !auth->token && !auth->replaced && !auth->fresh;
}

bool auth_remaining(const f5_session *session, double *seconds) {
  const f5_token *token = session->auth.token;
  if (!token) return false;
  uint64_t now = loop_now(session->core->loop);
  *seconds = token->expires > now ? (double)(token->expires - now) / 1000 : 0;
  return true;
}

void auth_clear(f5_auth *auth) {
  call_clear(&auth->call);
  token_free(auth->token);
  token_free(auth->fresh);
  while (auth->replaced) {
    f5_token *token = auth->replaced;
    auth->replaced = token->next;
    token_free(token);
  }
  free(auth->username);
  free(auth->provider);
  free(auth->login_reference);
  secret_free(auth->password);
  secret_free(auth->basic);
  secret_free(auth->given);
  secret_free(auth->masked);
  secret_free(auth->proxy);
  for (size_t i = 0; i < auth->retired_count; i++)
    secret_free(auth->retired[i]);
  free(auth->retired);
  secret_free(auth->body);
  *auth = (f5_auth){0};
}
