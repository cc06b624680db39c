/* A token of the device's: how long it lives by the device's own clock, and its deletion.
 *
 * A call holds the token that it went out with, so a token that was replaced is deleted when the
 * last call that carries it has ended. */
#ifndef F5_TOKEN_H
#define F5_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "f5/report/secret.h"
#include "f5/session/call.h"

#define TOKENS_PATH "/mgmt/shared/authz/tokens/"

typedef struct f5_token f5_token;

/* Those of one session. */
typedef struct f5_tokens {
  f5_token *current;  /* in force, or NULL */
  f5_token *replaced; /* not deleted yet */
} f5_tokens;

struct f5_token {
  struct f5_session *session;
  f5_tokens *tokens;
  f5_token *next; /* of the replaced ones */
  secret *value, *header, *path;
  uint64_t expires, renew; /* loop_now, milliseconds */
  unsigned users;          /* calls on their way with it */
  bool dead;               /* the device does not know it any more */
  bool deleting;
  f5_call call; /* the deletion */
};

/* In none of the lists of `tokens` yet. NULL without memory. */
f5_token *token_new(struct f5_session *session, f5_tokens *tokens, const char *value,
                    size_t length);
void token_free(f5_token *token); /* NULL is fine */
/* How long the token of this answer lives, in milliseconds; 0: it does not say. login: the answer
 * is that of a login. */
int64_t token_read_lifetime(const char *json, size_t length, bool login);
/* asked: when the answer was asked for, loop_now; lifetime_ms: 0 for what is usual. */
void token_set_lifetime(f5_token *token, uint64_t asked, int64_t lifetime_ms);
/* It is not renewed in the next moment, however short its life is. */
void token_use_now(f5_token *token);
/* It is in force no more: it is deleted when its last call has ended. */
void token_replace(f5_token *token);
/* A call that had it has ended. */
void token_release(f5_token *token);
/* Warns that nobody will delete it any more, and says why. */
void token_tell_left(const f5_token *token, const char *why);

#endif
