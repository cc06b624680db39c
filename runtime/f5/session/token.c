#include "f5/session/token.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/scan.h"
#include "base/text.h"
#include "f5/rest/uri.h"
#include "f5/session/log.h"
#include "f5/session/session.h"

#define DEFAULT_LIFETIME 1200000           /* ms, if the device does not send one */
#define MAX_LIFETIME (INT64_MAX / 1000000) /* ms; a longer one is not plausible */
/* ms before its end that a token is replaced; a tenth of a short lifetime */
#define MAX_MARGIN 60000
#define MIN_USE 500         /* ms that a new token is used even if it is about to expire */
#define DELETE_TIMEOUT 5000 /* ms; nobody waits long for a logout */

void token_free(f5_token *token) {
  if (!token) return;
  call_clear(&token->call);
  secret_free(token->value);
  secret_free(token->header);
  secret_free(token->path);
  free(token);
}

f5_token *token_new(f5_session *session, f5_tokens *tokens, const char *value, size_t length) {
  f5_token *token = calloc(1, sizeof *token);
  if (!token) return NULL;
  token->session = session;
  token->tokens = tokens;
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
  for (f5_token **at = &token->tokens->replaced; *at; at = &(*at)->next)
    if (*at == token) {
      *at = token->next;
      return;
    }
}

/* A user who runs out of tokens on a device must be able to find out where they came from. */
void token_report_left(const f5_token *token, const char *why) {
  const f5_session *session = token->session;
  uint64_t now = loop_now(session->core->loop);
  if (token->dead || token->expires <= now) return;
  log_warning(session,
              "the token of %s could not be deleted (%s) and may be valid for up to %" PRIu64
              " s more. It expires by itself; an administrator can end it sooner at " TOKENS_PATH,
              session->credentials.username, why, (token->expires - now + 999) / 1000);
}

static void deleted(f5_call *call) {
  f5_token *token = call->owner;
  f5_session *session = token->session;
  f5_kind kind = call->failure.verdict.kind;
  /* 401 and 404: it is already gone */
  if (kind != KIND_NONE && kind != KIND_AUTH && kind != KIND_NOT_FOUND)
    token_report_left(token, call->failure.message ? call->failure.message
                                                   : "not enough memory for the message");
  take_out(token);
  token_free(token);
  session_step(session);
}

/* Deletes a token that no call holds. */
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

void token_replace(f5_token *token) {
  f5_tokens *tokens = token->tokens;
  token->next = tokens->replaced;
  tokens->replaced = token;
  if (tokens->current == token) tokens->current = NULL;
  if (token->users == 0) discard(token);
}

void token_release(f5_token *token) {
  token->users--;
  if (token->users == 0 && token != token->tokens->current) {
    f5_session *session = token->session;
    discard(token);
    session_step(session);
  }
}

void token_set_lifetime(f5_token *token, uint64_t asked, int64_t lifetime_ms) {
  if (lifetime_ms <= 0) lifetime_ms = DEFAULT_LIFETIME;
  if (lifetime_ms > MAX_LIFETIME) lifetime_ms = MAX_LIFETIME;
  uint64_t life = (uint64_t)lifetime_ms, margin = life / 10 < MAX_MARGIN ? life / 10 : MAX_MARGIN;
  token->expires = asked + life;
  token->renew = token->expires - margin;
}

int64_t token_read_lifetime(const char *json, size_t length, bool login) {
  scan_value value;
  int64_t from, to, seconds;
  if (scan_find(json, length, login ? "token.expirationMicros" : "expirationMicros", &value) &&
      scan_integer(&value, &to) &&
      scan_find(json, length, login ? "token.lastUpdateMicros" : "lastUpdateMicros", &value) &&
      scan_integer(&value, &from) && to > from)
    return to / 1000 - from / 1000;
  if (scan_find(json, length, login ? "token.timeout" : "timeout", &value) &&
      scan_integer(&value, &seconds))
    return seconds < MAX_LIFETIME / 1000 ? seconds * 1000 : MAX_LIFETIME;
  return 0;
}

void token_use_now(f5_token *token) {
  uint64_t now = loop_now(token->session->core->loop);
  if (token->renew <= now) token->renew = now + MIN_USE;
}
