#include "f5/session/credentials.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/text.h"

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
    if (!*masked) { /* never use a secret that cannot be masked */
      secret_free(header);
      header = NULL;
    }
  }
  secret_text_free(&plain);
  secret_text_free(&encoded);
  return header;
}

bool credentials_init(f5_credentials *credentials) {
  if (credentials->mode == CREDENTIALS_GIVEN) return credentials->given != NULL;
  credentials->basic =
      base64_header(credentials->username, credentials->password, &credentials->masked);
  return credentials->basic != NULL;
}

bool credentials_set_password(f5_credentials *credentials, const char *password, size_t length) {
  if (credentials->mode == CREDENTIALS_GIVEN) return true;
  f5_credentials fresh = {.mode = credentials->mode,
                          .username = credentials->username,
                          .password = secret_new(password, length)};
  secret **retired =
      realloc(credentials->retired, (credentials->retired_count + 3) * sizeof *retired);
  if (retired) credentials->retired = retired;
  if (!retired || !fresh.password || !credentials_init(&fresh)) {
    secret_free(fresh.password);
    return false;
  }
  if (strcmp(secret_string(fresh.password), credentials->username) == 0)
    secret_unmask(fresh.password);
  retired[credentials->retired_count++] = credentials->password;
  retired[credentials->retired_count++] = credentials->basic;
  retired[credentials->retired_count++] = credentials->masked;
  credentials->password = fresh.password;
  credentials->basic = fresh.basic;
  credentials->masked = fresh.masked;
  return true;
}

secret *credentials_login_body(const f5_credentials *credentials) {
  text user = {0}, provider = {0};
  text_json(&user, credentials->username, strlen(credentials->username));
  if (credentials->login_reference) {
    text_put(&provider, "\"loginReference\":{\"link\":\"");
    text_json(&provider, credentials->login_reference, strlen(credentials->login_reference));
    text_put(&provider, "\"}}");
  } else {
    const char *name = credentials->provider ? credentials->provider : "tmos";
    text_put(&provider, "\"loginProviderName\":\"");
    text_json(&provider, name, strlen(name));
    text_put(&provider, "\"}");
  }
  const char *const parts[] = {"{\"username\":\"",
                               text_string(&user),
                               "\",\"password\":\"",
                               secret_json(credentials->password),
                               "\",",
                               text_string(&provider)};
  secret *body =
      user.failed || provider.failed ? NULL : secret_quiet(parts, sizeof parts / sizeof *parts);
  text_free(&user);
  text_free(&provider);
  return body;
}

void credentials_clear(f5_credentials *credentials) {
  free(credentials->username);
  free(credentials->provider);
  free(credentials->login_reference);
  secret_free(credentials->password);
  secret_free(credentials->basic);
  secret_free(credentials->given);
  secret_free(credentials->masked);
  secret_free(credentials->proxy);
  for (size_t i = 0; i < credentials->retired_count; i++)
    secret_free(credentials->retired[i]);
  free(credentials->retired);
  *credentials = (f5_credentials){0};
}
