/* Checks PEM files of certificates and private keys, and whether they belong together. The messages
 * are clearer than those of libcurl and of devices. */
#ifndef F5_CERTIFICATE_H
#define F5_CERTIFICATE_H

#include <stdbool.h>

#include <lua.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/x509.h>

#include "base/text.h"

/* Why a file cannot be used; `reason` is empty if it can. It is raised after the checks, so that no
 * OpenSSL object leaks. */
typedef struct complaint {
  const char *name, *path; /* the option, and the file */
  char reason[160];
} complaint;

void certificate_complain(complaint *c, const char *reason);
/* Opens the file of the complaint; NULL with a reason if that fails. */
BIO *certificate_open(complaint *c);
/* Returns whether the last PEM block was read and all blocks were valid. */
bool certificate_at_end(void);
/* Complains about a file without a PEM certificate. */
void certificate_complain_missing(complaint *c, BIO *file);
/* Reads the first certificate of the file; NULL with a reason if that fails. */
X509 *certificate_read(complaint *c);
/* Reads a private key in PEM; NULL if there is none, or if it cannot be decrypted. passphrase: NULL
 * if there is none. */
EVP_PKEY *certificate_private_key(BIO *file, const char *passphrase, bool *encrypted);
/* Complains unless the file contains the key of the certificate. same_file: the key was looked for
 * in the certificate's file. */
void certificate_check_key(complaint *c, X509 *certificate, bool same_file, const char *passphrase);

/* The first certificate in a text in PEM; NULL if there is none. */
X509 *certificate_of_pem(const char *pem, size_t length);
/* Appends a name as devices write it, "CN=www.example.net,O=Example". False if that fails. */
bool certificate_name(const X509_NAME *name, text *out);
/* Seconds since 1970; false if the time is invalid. */
bool certificate_time(const ASN1_TIME *time, lua_Integer *seconds);

/* f5.certificate(file, { key =, passphrase = }): see lualib/meta/f5.lua. */
int certificate_lua(lua_State *L);

#endif
