#include "f5/session/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scan.h"
#include "base/text.h"
#include "f5/session/credentials.h"
#include "f5/session/log.h"
#include "f5/session/session.h"
#include "f5/session/token.h"

#define LOGIN_PATH "/mgmt/shared/authn/login"

typedef struct f5_login {
  f5_tokens tokens;
  enum { LOGIN_NONE, LOGIN_SENT, LOGIN_EXTENDS } state;
  bool with_basic; /* the device requires it for the login (12.0) */
  f5_call call;    /* of the login */
  secret *body;
  uint64_t asked;  /* when the login was sent, loop_now */
  f5_token *fresh; /* its lifetime is being extended */
  f5_call *waiters, *last_waiter;
} f5_login;

static void start_login(f5_session *session);

/* The waiting calls go on, or fail with this failure if it is not NULL. */
static void wake_waiters(f5_login *login, const f5_failure *failure) {
  f5_call *waiter = login->waiters;
  login->waiters = login->last_waiter = NULL;
  while (waiter) {
    f5_call *next = waiter->next_waiter;
    call_authorized(waiter, failure);
    waiter = next;
  }
}

static void login_failed(f5_session *session, const f5_failure *reason) {
  f5_login *login = session->login;
  f5_failure failure;
  failure_copy(&failure, reason); /* it belongs to the call that is cleared here */
  if (!failure.method) {
    failure.attempts = login->call.attempts;
    failure.method = strdup(login->call.http.method);
    failure.path = strdup(login->state == LOGIN_EXTENDS ? TOKENS_PATH SECRET_MASK : LOGIN_PATH);
  }
  call_clear(&login->call);
  secret_free(login->body);
  login->body = NULL;
  login->state = LOGIN_NONE;
  wake_waiters(login, &failure);
  failure_clear(&failure);
  if (login->fresh) {
    f5_token *token = login->fresh;
    login->fresh = NULL;
    token_replace(token);
  }
  session_step(session);
}

static void login_succeeded(f5_session *session) {
  f5_login *login = session->login;
  session->wait_ms = 0;
  f5_token *token = login->fresh;
  login->fresh = NULL;
  call_clear(&login->call);
  secret_free(login->body);
  login->body = NULL;
  login->state = LOGIN_NONE;
  if (session->phase != SESSION_OPEN) {
    token_replace(token); /* its waiters have failed already */
    return;
  }
  if (login->tokens.current) token_replace(login->tokens.current);
  login->tokens.current = token;
  /* Its waiters use it in any case. Otherwise a token whose lifetime is shorter than the login
   * would be renewed for ever. */
  token_use_now(token);
  wake_waiters(login, NULL);
}

static void extended(f5_call *call) {
  f5_session *session = call->session;
  f5_login *login = session->login;
  if (call->failure.verdict.kind != KIND_NONE) {
    login_failed(session, &call->failure);
    return;
  }
  int64_t lifetime = token_read_lifetime(call->http.answer ? call->http.answer : "",
                                         call->http.answer_length, false);
  token_set_lifetime(login->fresh, login->asked,
                     lifetime ? lifetime : (int64_t)session->credentials.token_lifetime * 1000);
  if (call->http.answer) secret_wipe(call->http.answer, call->http.answer_length);
  login_succeeded(session);
}

static void start_extension(f5_session *session) {
  f5_login *login = session->login;
  char body[64];
  snprintf(body, sizeof body, "{\"timeout\":%ld}", session->credentials.token_lifetime);
  secret_free(login->body);
  login->body = secret_quiet((const char *const[]){body}, 1);
  call_clear(&login->call);
  login->state = LOGIN_EXTENDS;
  login->asked = loop_now(session->core->loop);
  call_init(&login->call, session, "PATCH", secret_string(login->fresh->path));
  login->call.http.body = login->body ? secret_string(login->body) : "{}";
  login->call.http.body_length = login->body ? secret_length(login->body) : 2;
  login->call.internal = true;
  login->call.owner = login->fresh;
  login->call.done = extended;
  call_start(&login->call);
}

/* The token becomes part of a header line and of a path. It must not add lines of its own, or lead
 * to another path. */
static bool is_usable(const text *token) {
  if (strspn(text_string(token), ".") == token->length) return false; /* also if it is empty */
  for (size_t i = 0; i < token->length; i++)
    if (token->data[i] <= ' ' || token->data[i] > '~') return false;
  return token->length <= MAX_TOKEN && !token->failed;
}

/* Runs before the answer is logged, so that the token is masked. */
static void login_arrived(f5_call *call) {
  f5_login *login = call->session->login;
  const http_request *request = &call->http;
  scan_value value;
  if (request->status / 100 != 2 || !request->answer || login->fresh ||
      !scan_find(request->answer, request->answer_length, "token.token", &value))
    return;
  text token = secret_text(value.length);
  if (scan_string(&value, &token) && is_usable(&token))
    login->fresh = token_new(call->session, &login->tokens, token.data, token.length);
  secret_text_free(&token);
  if (login->fresh)
    token_set_lifetime(login->fresh, login->asked,
                       token_read_lifetime(request->answer, request->answer_length, true));
}

static void logged_in(f5_call *call) {
  f5_session *session = call->session;
  f5_login *login = session->login;
  if (call->failure.verdict.kind == KIND_NONE) {
    if (call->http.answer) secret_wipe(call->http.answer, call->http.answer_length);
    if (!login->fresh) {
      f5_failure failure;
      failure_set(&failure, KIND_PROTOCOL,
                  "the login answer contains no token: check that this is the management address "
                  "of a BIG-IP");
      failure.status = call->http.status;
      login_failed(session, &failure);
      failure_clear(&failure);
    } else if (session->credentials.token_lifetime > 0 && session->phase == SESSION_OPEN) {
      start_extension(session);
    } else {
      login_succeeded(session);
    }
    return;
  }
  if (call->http.status == 401 && !login->with_basic &&
      strstr(call->failure.message ? call->failure.message : "", "no user authentication header")) {
    login->with_basic = true; /* 12.0 requires Basic authentication for the login itself */
    call_clear(call);
    start_login(session);
    return;
  }
  /* The device names the user by an identifier that nobody knows. */
  const char *message = call->failure.message ? call->failure.message : "";
  if (strstr(message, "maximum active login tokens"))
    failure_prefix(&call->failure,
                   "the user '%s' has too many tokens: ", session->credentials.username);
  if (call->wait_budget && call->failure.transient && session->phase == SESSION_OPEN)
    failure_prefix(&call->failure, "not up after %g s: ", (double)call->wait_budget / 1000);
  login_failed(session, &call->failure);
}

static void start_login(f5_session *session) {
  f5_login *login = session->login;
  secret_free(login->body);
  login->body = credentials_login_body(&session->credentials);
  login->state = LOGIN_SENT;
  login->asked = loop_now(session->core->loop);
  call_init(&login->call, session, "POST", LOGIN_PATH);
  login->call.http.body = login->body ? secret_string(login->body) : "{}";
  login->call.http.body_length = login->body ? secret_length(login->body) : 2;
  login->call.internal = true;
  login->call.wait_budget = session->wait_ms;
  login->call.arrived = login_arrived;
  login->call.own_check = true;
  login->call.done = logged_in;
  call_start(&login->call);
}

/* -- authentication of calls -- */

static bool prepare(f5_call *call) {
  f5_session *session = call->session;
  f5_login *login = session->login;
  if (session->credentials.mode != CREDENTIALS_TOKEN) return true;
  f5_token *token = login->tokens.current;
  if (token && loop_now(session->core->loop) < token->renew) {
    call->token = token;
    token->users++;
    return true;
  }
  call->next_waiter = NULL;
  if (login->last_waiter)
    login->last_waiter->next_waiter = call;
  else
    login->waiters = call;
  login->last_waiter = call;
  if (login->state == LOGIN_NONE) start_login(session);
  return false;
}

static const char *header(const f5_call *call) {
  const f5_credentials *credentials = &call->session->credentials;
  if (call->internal) {
    const f5_token *own = call->owner;
    if (own) return secret_string(own->header);
    return call->session->login->with_basic && credentials->basic
               ? secret_string(credentials->basic)
               : NULL;
  }
  if (credentials->mode == CREDENTIALS_BASIC) return secret_string(credentials->basic);
  if (credentials->mode == CREDENTIALS_GIVEN) return secret_string(credentials->given);
  return call->token ? secret_string(call->token->header) : NULL;
}

static void release(f5_call *call) {
  f5_token *token = call->token;
  if (!token) return;
  call->token = NULL;
  token_release(token);
}

static bool renewable(f5_call *call) {
  if (call->session->credentials.mode != CREDENTIALS_TOKEN || !call->token) return false;
  call->token->dead = true;
  if (call->session->login->tokens.current == call->token)
    token_replace(call->token); /* this call still holds it: it is deleted after the release */
  return true;
}

static void forget(f5_call *call) {
  f5_login *login = call->session->login;
  f5_call *before = NULL;
  for (f5_call *at = login->waiters; at; before = at, at = at->next_waiter) {
    if (at != call) continue;
    if (before)
      before->next_waiter = at->next_waiter;
    else
      login->waiters = at->next_waiter;
    if (login->last_waiter == at) login->last_waiter = before;
    return;
  }
}

static bool ended(const f5_session *session) {
  const f5_login *login = session->login;
  return login->state == LOGIN_NONE && !login->tokens.current && !login->tokens.replaced &&
         !login->fresh;
}

static void destroy(f5_session *session) {
  f5_login *login = session->login;
  call_clear(&login->call);
  token_free(login->tokens.current);
  token_free(login->fresh);
  while (login->tokens.replaced) {
    f5_token *token = login->tokens.replaced;
    login->tokens.replaced = token->next;
    token_free(token);
  }
  secret_free(login->body);
  free(login);
  session->login = NULL;
}

bool login_attach(f5_session *session) {
  static const session_auth auth = {.prepare = prepare,
                                    .header = header,
                                    .release = release,
                                    .renewable = renewable,
                                    .forget = forget,
                                    .ended = ended,
                                    .destroy = destroy};
  session->login = calloc(1, sizeof *session->login);
  if (!session->login) return false;
  session->auth = &auth;
  return true;
}

/* -- the end -- */

bool login_pauses(const f5_session *session, const f5_call *call) {
  return session->login && call == &session->login->call && call->state == CALL_PAUSES;
}

void login_end(f5_session *session) {
  if (session->login && session->login->tokens.current)
    token_replace(session->login->tokens.current);
}

void login_report_left(const f5_session *session) {
  static const char *const why = "no time was left";
  const f5_login *login = session->login;
  if (!login) return;
  if (login->tokens.current) token_report_left(login->tokens.current, why);
  if (login->fresh) token_report_left(login->fresh, why);
  for (const f5_token *token = login->tokens.replaced; token; token = token->next)
    token_report_left(token, why);
  if (login->state == LOGIN_SENT)
    log_warning(
        session,
        "a login of %s was still in progress: it may have left a token, which expires by itself",
        session->credentials.username);
}

bool login_remaining(const f5_session *session, double *seconds) {
  const f5_token *token = session->login->tokens.current;
  if (!token) return false;
  uint64_t now = loop_now(session->core->loop);
  *seconds = token->expires > now ? (double)(token->expires - now) / 1000 : 0;
  return true;
}
