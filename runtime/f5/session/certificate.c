#include "f5/session/certificate.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <lauxlib.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/text.h"
#include "f5/report/error.h"

void certificate_complain(complaint *c, const char *reason) {
  snprintf(c->reason, sizeof c->reason, "%s", reason);
}

/* libcurl reads the file again for each connection, so a pipe cannot be used. */
BIO *certificate_open(complaint *c) {
  struct stat status;
  if (stat(c->path, &status) == 0 && !S_ISREG(status.st_mode)) {
    certificate_complain(c, S_ISDIR(status.st_mode)
                                ? "is a directory"
                                : "is not a regular file; it must be readable for each connection");
    return NULL;
  }
  FILE *file = fopen(c->path, "rbe");
  BIO *bio = file ? BIO_new_fp(file, BIO_CLOSE) : NULL;
  if (!bio) snprintf(c->reason, sizeof c->reason, "cannot be read: %s", strerror(errno));
  if (!bio && file) fclose(file);
  return bio;
}

/* Complains about a file without a PEM certificate. */
void certificate_complain_missing(complaint *c, BIO *file) {
  unsigned char start[2] = {0};
  bool der = BIO_seek(file, 0) == 0 && BIO_read(file, start, 2) == 2 && start[0] == 0x30 &&
             start[1] & 0x80;
  certificate_complain(c,
                       der ? "is DER, expected PEM: openssl x509 -inform DER -in FILE -out FILE.pem"
                           : "contains no certificate in PEM");
}

bool certificate_at_end(void) {
  return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

X509 *certificate_read(complaint *c) {
  BIO *file = certificate_open(c);
  if (!file) return NULL;
  X509 *certificate = PEM_read_bio_X509(file, NULL, NULL, NULL);
  if (!certificate && certificate_at_end())
    certificate_complain_missing(c, file);
  else if (!certificate)
    certificate_complain(c, "contains a truncated or damaged certificate");
  BIO_free(file);
  return certificate;
}

/* Gives OpenSSL the passphrase. Without this callback, it would ask on the terminal for each
 * connection. */
typedef struct answer {
  const char *passphrase; /* NULL: there is none */
  bool asked;
} answer;

static int give_passphrase(char *buffer, int size, int writing, void *data) {
  (void)writing;
  answer *a = data;
  a->asked = true;
  size_t length = a->passphrase ? strlen(a->passphrase) : 0;
  if (!a->passphrase || length > (size_t)size) return -1;
  memcpy(buffer, a->passphrase, length);
  return (int)length;
}

EVP_PKEY *certificate_private_key(BIO *file, const char *passphrase, bool *encrypted) {
  answer a = {.passphrase = passphrase};
  EVP_PKEY *key = PEM_read_bio_PrivateKey(file, NULL, give_passphrase, &a);
  *encrypted = a.asked;
  return key;
}

void certificate_check_key(complaint *c, X509 *certificate, bool same_file,
                           const char *passphrase) {
  BIO *file = certificate_open(c);
  if (!file) return;
  bool encrypted;
  EVP_PKEY *key = certificate_private_key(file, passphrase, &encrypted);
  if (encrypted && !passphrase)
    certificate_complain(c, "has a passphrase; remove it: openssl pkey -in FILE -out FILE.plain");
  else if (encrypted && !key)
    certificate_complain(c, "cannot be decrypted with the given passphrase");
  else if (!key)
    certificate_complain(c, same_file ? "contains no private key; give its file as option 'key'"
                                      : "contains no private key in PEM");
  else if (X509_check_private_key(certificate, key) != 1)
    certificate_complain(c, "contains the key of another certificate");
  EVP_PKEY_free(key);
  BIO_free(file);
}

/* -- f5.certificate -- */

typedef struct found {
  text subject;
  lua_Integer starts, ends; /* seconds since 1970 */
} found;

X509 *certificate_of_pem(const char *pem, size_t length) {
  BIO *bio = length <= INT_MAX ? BIO_new_mem_buf(pem, (int)length) : NULL;
  X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
  BIO_free(bio);
  ERR_clear_error(); /* libcurl reads the same queue */
  return certificate;
}

bool certificate_time(const ASN1_TIME *time, lua_Integer *seconds) {
  ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
  int days, rest;
  bool ok = epoch && ASN1_TIME_diff(&days, &rest, epoch, time) == 1;
  if (ok) *seconds = (lua_Integer)days * 24 * 60 * 60 + rest;
  ASN1_TIME_free(epoch);
  return ok;
}

bool certificate_name(const X509_NAME *name, text *out) {
  BIO *bio = BIO_new(BIO_s_mem());
  if (!bio) return false;
  char *bytes = NULL;
  const unsigned long style = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
  bool ok = X509_NAME_print_ex(bio, name, 0, style) >= 0;
  long length = ok ? BIO_get_mem_data(bio, &bytes) : 0;
  if (length > 0) text_add(out, bytes, (size_t)length);
  BIO_free(bio);
  return ok && !out->failed;
}

static int push_found(lua_State *L) {
  const found *f = lua_touserdata(L, 1);
  lua_createtable(L, 0, 3);
  lua_pushlstring(L, text_string(&f->subject), f->subject.length);
  lua_setfield(L, -2, "subject");
  lua_pushinteger(L, f->starts);
  lua_setfield(L, -2, "starts");
  lua_pushinteger(L, f->ends);
  lua_setfield(L, -2, "ends");
  return 1;
}

/* The string stays on the stack: an __index function may return one that nothing else refers to. */
static const char *option(lua_State *L, const char *name) {
  if (lua_isnoneornil(L, 2)) return NULL;
  lua_getfield(L, 2, name);
  int type = lua_type(L, -1);
  if (type != LUA_TNIL && type != LUA_TSTRING)
    error_usage(L, "f5.certificate: option '%s' must be a string, not a %s", name,
                lua_typename(L, type));
  return lua_tostring(L, -1);
}

int certificate_lua(lua_State *L) {
  if (lua_type(L, 1) != LUA_TSTRING || (!lua_isnoneornil(L, 2) && !lua_istable(L, 2)))
    error_usage(L, "f5.certificate: expected a file name and a table of options");
  complaint c = {.name = "certificate", .path = error_check_path(L, 1, "f5.certificate")};
  const char *key = option(L, "key");
  if (key) error_check_path(L, -1, "f5.certificate: key");
  const char *passphrase = option(L, "passphrase");
  found f = {0};
  X509 *certificate = certificate_read(&c);
  if (certificate && (!certificate_name(X509_get_subject_name(certificate), &f.subject) ||
                      !certificate_time(X509_get0_notBefore(certificate), &f.starts) ||
                      !certificate_time(X509_get0_notAfter(certificate), &f.ends)))
    certificate_complain(&c, "contains an invalid certificate");
  if (key && !c.reason[0]) {
    c = (complaint){.name = "key", .path = key};
    certificate_check_key(&c, certificate, false, passphrase);
  }
  X509_free(certificate);
  ERR_clear_error(); /* libcurl reads the same queue */
  int status = LUA_OK;
  if (c.reason[0]) {
    lua_pushnil(L);
    lua_pushfstring(L, "%s %s", c.path, c.reason);
  } else {
    lua_pushcfunction(L, push_found);
    lua_pushlightuserdata(L, &f);
    status = lua_pcall(L, 1, 1, 0); /* protected, so that the subject is freed if memory is short */
  }
  text_free(&f.subject);
  if (status != LUA_OK) return lua_error(L);
  return c.reason[0] ? 2 : 1;
}
