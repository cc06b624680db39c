/* The credentials that f5.connect was given, and the header lines made from them. */
#ifndef F5_CREDENTIALS_H
#define F5_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "f5/report/secret.h"

/* TOKEN: the login exchanges the password for a token; BASIC: every call sends the password; GIVEN:
 * the script provides a token. */
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
  secret *given;    /* "X-F5-Auth-Token: …" with the script's token */
  secret *masked;   /* the part of `basic` or `given` to mask */
  secret *proxy;    /* the password of the proxy, to mask it */
  secret **retired; /* earlier passwords and headers: calls in progress may still use them */
  size_t retired_count;
  long token_lifetime; /* seconds; 0: the default of the device */
} f5_credentials;

/* Makes the header lines. False if there is not enough memory. */
bool credentials_init(f5_credentials *credentials);
/* Replaces the password. False if there is not enough memory. */
bool credentials_set_password(f5_credentials *credentials, const char *password, size_t length);
/* The body of a login; NULL if there is not enough memory. */
secret *credentials_login_body(const f5_credentials *credentials);
void credentials_clear(f5_credentials *credentials);

#endif
