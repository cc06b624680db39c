#include "f5/trust/facts.h"

#include <arpa/inet.h>
#include <string.h>

#include <lauxlib.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/field.h"
#include "base/push_owned.h"
#include "base/text.h"
#include "f5/session/certificate.h"
#include "net/http_trust.h"

typedef struct facts {
  text subject, issuer, pem;
  text names; /* each with a line break behind it */
  lua_Integer starts, ends;
  char fingerprint[HTTP_FINGERPRINT], pin[HTTP_PIN];
} facts;

static void clear(void *data) {
  facts *f = data;
  text_free(&f->subject);
  text_free(&f->issuer);
  text_free(&f->pem);
  text_free(&f->names);
}

/* A name that has a line break, or a byte 0, would show as two. */
static void put_name(text *names, const unsigned char *bytes, int length) {
  for (int i = 0; i < length; i++)
    text_char(names, bytes[i] < ' ' ? '?' : (char)bytes[i]);
  text_char(names, '\n');
}

static void read_names(const X509 *certificate, text *names) {
  GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
    char address[INET6_ADDRSTRLEN];
    if (name->type == GEN_DNS)
      put_name(names, ASN1_STRING_get0_data(name->d.dNSName), ASN1_STRING_length(name->d.dNSName));
    if (name->type != GEN_IPADD) continue;
    int length = ASN1_STRING_length(name->d.iPAddress);
    if ((length == 4 || length == 16) &&
        inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name->d.iPAddress),
                  address, sizeof address))
      text_printf(names, "%s\n", address);
  }
  GENERAL_NAMES_free(all);
}

static bool read_pem(const X509 *certificate, text *pem) {
  BIO *bio = BIO_new(BIO_s_mem());
  char *bytes = NULL;
  bool ok = bio && PEM_write_bio_X509(bio, certificate) == 1;
  long length = ok ? BIO_get_mem_data(bio, &bytes) : 0;
  if (length > 0) text_add(pem, bytes, (size_t)length);
  BIO_free(bio);
  return ok;
}

static int push(lua_State *L) {
  const facts *f = lua_touserdata(L, 1);
  lua_createtable(L, 0, 8);
  field_text(L, "subject", &f->subject);
  field_text(L, "issuer", &f->issuer);
  field_text(L, "pem", &f->pem);
  lua_pushinteger(L, f->starts);
  lua_setfield(L, -2, "starts");
  lua_pushinteger(L, f->ends);
  lua_setfield(L, -2, "ends");
  lua_pushstring(L, f->fingerprint);
  lua_setfield(L, -2, "fingerprint");
  lua_pushstring(L, f->pin);
  lua_setfield(L, -2, "pin");
  lua_newtable(L);
  lua_Integer count = 0;
  for (const char *at = text_string(&f->names); *at; at += strcspn(at, "\n") + 1) {
    lua_pushlstring(L, at, strcspn(at, "\n"));
    lua_rawseti(L, -2, ++count);
  }
  lua_setfield(L, -2, "names");
  return 1;
}

void facts_push(lua_State *L, X509 *certificate) {
  facts f = {0};
  bool ok = certificate_name(X509_get_subject_name(certificate), &f.subject) &&
            certificate_name(X509_get_issuer_name(certificate), &f.issuer) &&
            certificate_time(X509_get0_notBefore(certificate), &f.starts) &&
            certificate_time(X509_get0_notAfter(certificate), &f.ends) &&
            read_pem(certificate, &f.pem);
  http_fingerprint(certificate, f.fingerprint);
  http_pin(certificate, f.pin);
  read_names(certificate, &f.names);
  ERR_clear_error(); /* libcurl reads the same queue */
  if (ok && f.fingerprint[0] && f.pin[0]) {
    push_owned(L, push, &f, clear);
  } else {
    clear(&f);
    lua_pushnil(L);
  }
}

int facts_lua(lua_State *L) {
  size_t length;
  const char *pem = luaL_checklstring(L, 1, &length);
  X509 *certificate = certificate_of_pem(pem, length);
  if (!certificate) return 0;
  facts_push(L, certificate);
  X509_free(certificate);
  return 1;
}
