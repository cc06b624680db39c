/* A token of a device: its lifetime by the device's own clock, and its deletion.
 *
 * A call holds the token that it was sent with. A replaced token is deleted when the last call that
 * holds it has ended. */
#ifndef F5_TOKEN_H
#define F5_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "f5/report/secret.h"
#include "f5/session/call.h"

#define TOKENS_PATH "/mgmt/shared/authz/tokens/"
#define MAX_TOKEN 4096 /* bytes; those of devices have 26 */

typedef struct f5_token f5_token;

/* The tokens of one session. */
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
  unsigned users;          /* calls in progress that hold it */
  bool dead;               /* the device no longer accepts it */
  bool deleting;
  f5_call call; /* the deletion */
};

/* Returns a token that is not yet in `tokens`. NULL if there is not enough memory. */
f5_token *token_new(struct f5_session *session, f5_tokens *tokens, const char *value,
                    size_t length);
void token_free(f5_token *token); /* NULL is fine */
/* Returns the lifetime of the token in this answer, in milliseconds; 0 if the answer does not
 * contain it. login: it is the answer to a login. */
int64_t token_read_lifetime(const char *json, size_t length, bool login);
/* asked: when the request was sent (loop_now); lifetime_ms: 0 for the default. */
void token_set_lifetime(f5_token *token, uint64_t asked, int64_t lifetime_ms);
/* Prevents an immediate renewal, however short the lifetime is. */
void token_use_now(f5_token *token);
/* Stops using it; it is deleted when its last call has ended. */
void token_replace(f5_token *token);
/* A call that held it has ended. */
void token_release(f5_token *token);
/* Warns that it will not be deleted, and why. */
void token_report_left(const f5_token *token, const char *why);

#endif
