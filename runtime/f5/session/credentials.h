/* Who we are for a device: what f5.connect was given, and the header lines made of it. */
#ifndef F5_CREDENTIALS_H
#define F5_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "f5/report/secret.h"

/* TOKEN: password for a token; BASIC: the password with every call; GIVEN: a token of the
 * script's. */
typedef enum credentials_mode {
  CREDENTIALS_TOKEN,
  CREDENTIALS_BASIC,
  CREDENTIALS_GIVEN
} credentials_mode;

typedef struct f5_credentials {
  credentials_mode mode;
  char *username, *provider, *login_reference;
  secret *password;
  secret *basic;    /* "Authorization: Basic …" */
  secret *given;    /* "X-F5-Auth-Token: …" that the script brought */
  secret *masked;   /* what of these must not show */
  secret *proxy;    /* its password, which must not show either */
  secret **retired; /* passwords and headers of before: calls on their way may still have them */
  size_t retired_count;
  long token_lifetime; /* seconds; 0: as the device gives it */
} f5_credentials;

/* Makes headers from the password or the given token. False without memory. */
bool credentials_init(f5_credentials *credentials);
/* The user's password is another one from now on. False without memory. */
bool credentials_set_password(f5_credentials *credentials, const char *password, size_t length);
/* The body of a login; NULL without memory. */
secret *credentials_login_body(const f5_credentials *credentials);
void credentials_clear(f5_credentials *credentials);

#endif
