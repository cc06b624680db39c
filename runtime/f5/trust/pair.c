#include "f5/trust/pair.h"

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include <lauxlib.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "f5/session/certificate.h"

#define TYPE_LENGTH 32

/* The type of a key, in lower case. OpenSSL knows an RSA key as rsaEncryption. */
static void name_type(const EVP_PKEY *key, char type[TYPE_LENGTH]) {
  int id = EVP_PKEY_get_base_id(key);
  const char *name = id == EVP_PKEY_RSA   ? "rsa"
                     : id == EVP_PKEY_EC  ? "ec"
                     : id == EVP_PKEY_DSA ? "dsa"
                                          : OBJ_nid2sn(id);
  snprintf(type, TYPE_LENGTH, "%s", name ? name : "unknown");
  for (char *at = type; *at; at++)
    *at = (char)tolower((unsigned char)*at);
}

int pair_lua_key(lua_State *L) {
  size_t length, key_length;
  const char *pem = luaL_checklstring(L, 1, &length);
  const char *key_pem = luaL_checklstring(L, 2, &key_length);
  const char *passphrase = luaL_optstring(L, 3, NULL);
  X509 *certificate = certificate_of_pem(pem, length);
  BIO *file = key_length <= INT_MAX ? BIO_new_mem_buf(key_pem, (int)key_length) : NULL;
  bool encrypted = false;
  EVP_PKEY *key = file ? certificate_private_key(file, passphrase, &encrypted) : NULL;
  char type[TYPE_LENGTH] = "";
  const char *reason = NULL;
  if (encrypted && !passphrase)
    reason = "has a passphrase, and none was given";
  else if (encrypted && !key)
    reason = "cannot be decrypted with the given passphrase";
  else if (!key)
    reason = "contains no private key in PEM";
  else if (!certificate || X509_check_private_key(certificate, key) != 1)
    reason = "contains the key of another certificate";
  else
    name_type(key, type);
  EVP_PKEY_free(key);
  BIO_free(file);
  X509_free(certificate);
  ERR_clear_error(); /* libcurl reads the same queue */
  if (reason) {
    lua_pushnil(L);
    lua_pushstring(L, reason);
  } else {
    lua_pushstring(L, type);
    lua_pushboolean(L, encrypted);
  }
  return 2;
}

int pair_lua_signed(lua_State *L) {
  size_t length, issuer_length;
  const char *pem = luaL_checklstring(L, 1, &length);
  const char *issuer_pem = luaL_checklstring(L, 2, &issuer_length);
  X509 *certificate = certificate_of_pem(pem, length);
  X509 *issuer = certificate_of_pem(issuer_pem, issuer_length);
  EVP_PKEY *key = issuer ? X509_get0_pubkey(issuer) : NULL;
  bool ok = certificate && key && X509_check_issued(issuer, certificate) == X509_V_OK &&
            X509_verify(certificate, key) == 1;
  X509_free(certificate);
  X509_free(issuer);
  ERR_clear_error(); /* libcurl reads the same queue */
  lua_pushboolean(L, ok);
  return 1;
}
