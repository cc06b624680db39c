/* Files of certificates and private keys, PEM: whether they are what they should be and belong
 * together. Said in words, which libcurl and devices do not. */
#ifndef F5_CERTIFICATE_H
#define F5_CERTIFICATE_H

#include <stdbool.h>

#include <lua.h>

#include <openssl/bio.h>
#include <openssl/x509.h>

/* Why a file cannot be what it is meant to be; words[0] is '\0' if it can. Raised at the end, so
 * that nothing of OpenSSL's is lost on the way. */
typedef struct complaint {
  const char *name, *path; /* what it is meant to be, and the file */
  char words[160];
} complaint;

void certificate_say(complaint *c, const char *words);
/* The file of the complaint, or NULL and why not. */
BIO *certificate_open(complaint *c);
/* Whether the last block of PEM was read and nothing is wrong with the others. */
bool certificate_at_end(void);
/* Says what is in a file without a certificate in PEM. */
void certificate_say_none(complaint *c, BIO *file);
/* The first certificate of the file, or NULL and why not. */
X509 *certificate_read(complaint *c);
/* Complains unless the file holds the key of the certificate. beside: it was looked for in the
 * certificate's file. */
void certificate_check_key(complaint *c, X509 *certificate, bool beside, const char *passphrase);

/* f5.certificate(file, { key =, passphrase = }): see lualib/meta/f5.lua. */
int certificate_lua(lua_State *L);

#endif
