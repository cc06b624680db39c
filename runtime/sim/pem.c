#include "sim/pem.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include <lauxlib.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static BIO *open_text(lua_State *L, int index) {
  size_t length = 0;
  const char *text = luaL_checklstring(L, index, &length);
  luaL_argcheck(L, length <= INT_MAX, index, "too long");
  BIO *bio = BIO_new_mem_buf(text, (int)length);
  if (!bio) luaL_error(L, "not enough memory");
  return bio;
}

static void set_string(lua_State *L, const char *name, const void *bytes, size_t length) {
  lua_pushlstring(L, bytes, length);
  lua_setfield(L, -2, name);
}

/* Adds the type, size and digest of a public key to the table on top. */
static bool add_public(lua_State *L, EVP_PKEY *key) {
  unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  int length = i2d_PUBKEY(key, &der);
  if (length <= 0) return false;
  bool ok = EVP_Digest(der, (size_t)length, digest, &size, EVP_sha256(), NULL) == 1;
  OPENSSL_free(der);
  if (!ok) return false;
  set_string(L, "public", digest, size);
  lua_pushinteger(L, EVP_PKEY_get_bits(key));
  lua_setfield(L, -2, "bits");
  int kind = EVP_PKEY_get_base_id(key);
  lua_pushstring(L, kind == EVP_PKEY_RSA ? "rsa" : kind == EVP_PKEY_EC ? "ec" : OBJ_nid2sn(kind));
  lua_setfield(L, -2, "type");
  return true;
}

/* The format of devices: "CN=www.example.net,O=Example", the most specific part first. */
static bool add_name(lua_State *L, const char *field, const X509_NAME *name) {
  BIO *bio = BIO_new(BIO_s_mem());
  if (!bio) return false;
  char *text = NULL;
  bool ok =
      X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0;
  long length = ok ? BIO_get_mem_data(bio, &text) : 0;
  if (ok) set_string(L, field, text ? text : "", (size_t)length);
  BIO_free(bio);
  return ok;
}

static bool add_serial(lua_State *L, const X509 *cert) {
  BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
  char *text = number ? BN_bn2dec(number) : NULL;
  if (text) set_string(L, "serial", text, strlen(text));
  OPENSSL_free(text);
  BN_free(number);
  return text != NULL;
}

static bool add_end(lua_State *L, const X509 *cert) {
  ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
  int days = 0, seconds = 0;
  bool ok = epoch && ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(cert)) == 1;
  ASN1_TIME_free(epoch);
  if (!ok) return false;
  lua_pushinteger(L, (lua_Integer)days * 24 * 60 * 60 + seconds);
  lua_setfield(L, -2, "expires");
  return true;
}

static bool add_fingerprint(lua_State *L, const X509 *cert) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (X509_digest(cert, EVP_sha256(), digest, &size) != 1) return false;
  set_string(L, "fingerprint", digest, size);
  return true;
}

static int l_certificate(lua_State *L) {
  BIO *bio = open_text(L, 1);
  X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
  BIO_free(bio);
  ERR_clear_error();
  if (!cert) return 0;
  lua_newtable(L);
  EVP_PKEY *key = X509_get0_pubkey(cert);
  bool ok = key && add_public(L, key) && add_name(L, "subject", X509_get_subject_name(cert)) &&
            add_name(L, "issuer", X509_get_issuer_name(cert)) && add_serial(L, cert) &&
            add_end(L, cert) && add_fingerprint(L, cert);
  X509_free(cert);
  ERR_clear_error();
  return ok ? 1 : 0;
}

/* Without a callback OpenSSL would ask on the terminal. */
static int give_passphrase(char *buffer, int size, int writing, void *data) {
  (void)writing;
  const char *passphrase = data;
  size_t length = passphrase ? strlen(passphrase) : 0;
  if (length == 0 || length > (size_t)size) return -1;
  memcpy(buffer, passphrase, length);
  return (int)length;
}

static int l_key(lua_State *L) {
  const char *passphrase = luaL_optstring(L, 2, NULL);
  BIO *bio = open_text(L, 1);
  EVP_PKEY *key =
      PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, (void *)(uintptr_t)passphrase);
  BIO_free(bio);
  ERR_clear_error();
  if (!key) return 0;
  lua_newtable(L);
  bool ok = add_public(L, key);
  EVP_PKEY_free(key);
  return ok ? 1 : 0;
}

/* -- certificate requests -- */

/* Adds the entries of the list at an index, { { "CN", "www.example.net" }, … }. Entries that are
 * not valid are left out. */
static bool add_entries(lua_State *L, int index, X509_NAME *name) {
  for (lua_Integer i = 1; lua_geti(L, index, i) == LUA_TTABLE; i++) {
    lua_geti(L, -1, 1);
    lua_geti(L, -2, 2);
    const char *field = lua_tostring(L, -2), *value = lua_tostring(L, -1);
    if (!field || !value) return false;
    X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0);
    lua_pop(L, 3);
  }
  lua_pop(L, 1);
  return true;
}

static bool add_names(X509_REQ *request, const char *names) {
  if (!names || !*names) return true;
  X509V3_CTX context;
  X509V3_set_ctx(&context, NULL, NULL, request, NULL, 0);
  X509V3_set_ctx_nodb(&context); /* names must not refer to a section of a file */
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, NID_subject_alt_name, names);
  if (!extension) return false;
  STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
  bool ok = list && sk_X509_EXTENSION_push(list, extension) > 0;
  if (!ok) X509_EXTENSION_free(extension);
  ok = ok && X509_REQ_add_extensions(request, list) == 1;
  sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
  return ok;
}

static EVP_PKEY *request_key(lua_State *L, int index) {
  if (lua_isnoneornil(L, index)) return EVP_EC_gen("P-256");
  BIO *bio = open_text(L, index);
  EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, NULL);
  BIO_free(bio);
  return key ? key : EVP_EC_gen("P-256");
}

/* request(entries, names or nil, key as PEM or nil) -> PEM; nil if the names are not valid. Without
 * a key that can be read, a new one signs. */
static int l_request(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  const char *names = luaL_optstring(L, 2, NULL);
  lua_settop(L, 3);
  EVP_PKEY *key = request_key(L, 3);
  X509_REQ *request = key ? X509_REQ_new() : NULL;
  BIO *bio = request ? BIO_new(BIO_s_mem()) : NULL;
  bool ok = bio && X509_REQ_set_version(request, 0) == 1 &&
            add_entries(L, 1, X509_REQ_get_subject_name(request)) && add_names(request, names) &&
            X509_REQ_set_pubkey(request, key) == 1 &&
            X509_REQ_sign(request, key, EVP_sha256()) > 0 &&
            PEM_write_bio_X509_REQ(bio, request) == 1;
  char *text = NULL;
  long length = ok ? BIO_get_mem_data(bio, &text) : 0;
  if (ok) lua_pushlstring(L, text, (size_t)length);
  BIO_free(bio);
  X509_REQ_free(request);
  EVP_PKEY_free(key);
  ERR_clear_error();
  return ok ? 1 : 0;
}

static const luaL_Reg functions[] = {
    {"certificate", l_certificate}, {"key", l_key}, {"request", l_request}, {NULL, NULL}};

int luaopen_sim_pem(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
