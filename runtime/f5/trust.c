#include "f5/trust.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "f5/error.h"

#define DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
#define DIGEST_DIGITS 43 /* of 32 bytes in base64, before the '=' */

/* Why an option cannot be what it is meant to be; words[0] is '\0' if it can. Raised at the end, so that nothing of
 * OpenSSL's is lost on the way. */
typedef struct complaint {
  const char *option, *value;
  char words[160];
} complaint;

static void say(complaint *c, const char *words) {
  snprintf(c->words, sizeof c->words, "%s", words);
}

/* The file of the complaint. It is libcurl that reads it in the end, again for each connection: what can be read once
 * is no use. */
static BIO *open_file(complaint *c) {
  struct stat status;
  if (stat(c->value, &status) == 0 && !S_ISREG(status.st_mode)) {
    say(c, S_ISDIR(status.st_mode) ? "is a directory" : "is no file, and must be read for each connection");
    return NULL;
  }
  FILE *file = fopen(c->value, "rbe");
  BIO *bio = file ? BIO_new_fp(file, BIO_CLOSE) : NULL;
  if (!bio) snprintf(c->words, sizeof c->words, "cannot be read: %s", strerror(errno));
  if (!bio && file) fclose(file);
  return bio;
}

/* What is in a file without a certificate in PEM. */
static void say_no_certificate(complaint *c, BIO *file) {
  unsigned char start[2] = {0};
  bool der = BIO_seek(file, 0) == 0 && BIO_read(file, start, 2) == 2 && start[0] == 0x30 && start[1] & 0x80;
  say(c, der ? "is DER, and PEM is wanted: openssl x509 -inform DER -in FILE -out FILE.pem"
             : "holds no certificate in PEM");
}

static bool at_end_of_pem(void) {
  return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

/* Whether the bytes are one whole value; to decode a certificate takes OpenSSL 0.3 ms, which a fleet would notice. */
static bool is_whole(const unsigned char *bytes, long length) {
  const unsigned char *content = bytes;
  long inner;
  int tag, class, form = ASN1_get_object(&content, &inner, &tag, &class, length);
  return !(form & 0x80) && tag == V_ASN1_SEQUENCE;
}

static void check_ca(complaint *c) {
  BIO *file = open_file(c);
  if (!file) return;
  char *name, *header;
  unsigned char *bytes;
  long length;
  unsigned found = 0, damaged = 0;
  while (PEM_read_bio(file, &name, &header, &bytes, &length)) {
    bool certificate = strstr(name, "CERTIFICATE") != NULL;
    found += certificate;
    damaged += certificate && !is_whole(bytes, length);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(bytes);
  }
  if (damaged || !at_end_of_pem())
    say(c, "holds a certificate that is cut off or damaged");
  else if (!found)
    say_no_certificate(c, file);
  BIO_free(file);
}

static X509 *read_certificate(complaint *c) {
  BIO *file = open_file(c);
  if (!file) return NULL;
  X509 *certificate = PEM_read_bio_X509(file, NULL, NULL, NULL);
  if (!certificate && at_end_of_pem())
    say_no_certificate(c, file);
  else if (!certificate)
    say(c, "holds a certificate that is cut off or damaged");
  BIO_free(file);
  return certificate;
}

/* There is no option for a passphrase. OpenSSL itself would ask on the terminal, for each connection. */
static int no_passphrase(char *buffer, int size, int writing, void *asked) {
  (void)buffer, (void)size, (void)writing;
  *(bool *)asked = true;
  return -1;
}

static void check_key(complaint *c, X509 *certificate, bool beside) {
  bool asked = false;
  BIO *file = open_file(c);
  if (!file) return;
  EVP_PKEY *key = PEM_read_bio_PrivateKey(file, NULL, no_passphrase, &asked);
  if (asked)
    say(c, "needs a passphrase, which nobody is asked for: openssl pkey -in FILE -out FILE.plain");
  else if (!key)
    say(c, beside ? "holds no private key; give its file as the option 'key'" : "holds no private key in PEM");
  else if (X509_check_private_key(certificate, key) != 1)
    say(c, "holds the key of another certificate");
  EVP_PKEY_free(key);
  BIO_free(file);
}

/* libcurl looks for the key beside the certificate when it has no file of its own. */
static void check_pair(complaint *c, const char *key) {
  X509 *certificate = read_certificate(c);
  if (!certificate) return;
  if (key) *c = (complaint){.option = "key", .value = key};
  check_key(c, certificate, !key);
  X509_free(certificate);
}

/* sha256//DIGEST;sha256//DIGEST;… */
static void check_digests(complaint *c) {
  const char *at = c->value;
  do {
    if (strncmp(at, "sha256//", 8) != 0 || strspn(at + 8, DIGITS) != DIGEST_DIGITS || at[8 + DIGEST_DIGITS] != '=') {
      say(c, "is no sha256//DIGEST, 32 bytes in base64; several have ';' between them");
      return;
    }
    at += 8 + DIGEST_DIGITS + 1;
  } while (*at == ';' && *++at);
  if (*at) say(c, "goes on behind its last digest; several have ';' between them");
}

static void check_pin(complaint *c) {
  if (strncmp(c->value, "sha256//", 8) == 0) {
    check_digests(c);
    return;
  }
  struct stat status;
  if (stat(c->value, &status) != 0) {
    snprintf(c->words, sizeof c->words, "is neither sha256//DIGEST nor a file: %s", strerror(errno));
    return;
  }
  BIO *file = open_file(c);
  if (!file) return;
  EVP_PKEY *key = PEM_read_bio_PUBKEY(file, NULL, NULL, NULL);
  if (!key && BIO_seek(file, 0) == 0) key = d2i_PUBKEY_bio(file, NULL);
  X509 *certificate = !key && BIO_seek(file, 0) == 0 ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;
  if (certificate)
    say(c, "is a certificate, and its public key is wanted: openssl x509 -in FILE -noout -pubkey");
  else if (!key)
    say(c, "holds no public key");
  X509_free(certificate);
  EVP_PKEY_free(key);
  BIO_free(file);
}

void trust_check(lua_State *L, const http_peer_options *peer) {
  complaint c = {.option = "ca", .value = peer->ca};
  if (peer->ca) check_ca(&c);
  if (!c.words[0] && peer->cert) {
    c = (complaint){.option = "cert", .value = peer->cert};
    check_pair(&c, peer->key);
  }
  if (!c.words[0] && peer->pin) {
    c = (complaint){.option = "pin", .value = peer->pin};
    check_pin(&c);
  }
  ERR_clear_error(); /* libcurl reads the same queue */
  if (c.words[0]) error_usage(L, "option '%s': %s %s", c.option, c.value, c.words);
}
