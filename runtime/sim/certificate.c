#include "sim/certificate.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
  if (!extension) return false;
  bool ok = X509_add_ext(cert, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return ok;
}

static bool set_serial(X509 *cert) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] = (bytes[0] & 0x3f) | 0x40; /* positive, and always of the same length */
  BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
  bool ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
  BN_free(number);
  return ok;
}

static X509 *make(EVP_PKEY *key, const char *common_name) {
  X509 *cert = X509_new();
  if (!cert) return NULL;
  X509_NAME *name = X509_get_subject_name(cert);
  /* Valid since an hour ago: the clocks of two machines differ. */
  bool ok =
      X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
      X509_gmtime_adj(X509_getm_notBefore(cert), -3600) &&
      X509_gmtime_adj(X509_getm_notAfter(cert), 3600L * 24 * 397) &&
      X509_set_pubkey(cert, key) == 1 &&
      X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
                                 (const unsigned char *)"f5lua simulated device", -1, -1, 0) == 1 &&
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1,
                                 -1, 0) == 1;
  if (ok) return cert;
  X509_free(cert);
  return NULL;
}

static X509 *make_ca(EVP_PKEY *key) {
  X509 *cert = make(key, "f5lua simulated device CA");
  if (!cert) return NULL;
  bool ok = X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1 &&
            add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
            add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
            add_extension(cert, cert, NID_subject_key_identifier, "hash") &&
            X509_sign(cert, key, EVP_sha256()) > 0;
  if (ok) return cert;
  X509_free(cert);
  return NULL;
}

static bool is_address(const char *text) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool is_wildcard(const char *address) {
  return !strcmp(address, "0.0.0.0") || !strcmp(address, "::");
}

/* OpenSSL would read a comma in a name as the start of a second entry. */
static bool is_plain(const char *name) {
  return *name &&
         strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:") ==
             strlen(name);
}

static X509 *make_leaf(EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key, const char *hostname,
                       const char *address) {
  char names[1024] = "DNS:localhost,IP:127.0.0.1,IP:::1";
  const char *more[] = {hostname, address};
  for (size_t i = 0; i < 2; i++) {
    if (!more[i] || !is_plain(more[i]) || is_wildcard(more[i]) || strlen(more[i]) > 400) continue;
    size_t used = strlen(names);
    snprintf(names + used, sizeof names - used, ",%s:%s", is_address(more[i]) ? "IP" : "DNS",
             more[i]);
  }
  X509 *cert =
      make(key, hostname && strlen(hostname) <= 64 && is_plain(hostname) ? hostname : "localhost");
  if (!cert) return NULL;
  bool ok = X509_set_issuer_name(cert, X509_get_subject_name(ca)) == 1 &&
            add_extension(cert, ca, NID_basic_constraints, "critical,CA:FALSE") &&
            add_extension(cert, ca, NID_key_usage, "critical,digitalSignature") &&
            add_extension(cert, ca, NID_ext_key_usage, "serverAuth") &&
            add_extension(cert, ca, NID_subject_key_identifier, "hash") &&
            add_extension(cert, ca, NID_authority_key_identifier, "keyid") &&
            add_extension(cert, ca, NID_subject_alt_name, names) &&
            X509_sign(cert, ca_key, EVP_sha256()) > 0;
  if (ok) return cert;
  X509_free(cert);
  return NULL;
}

struct sim_authority {
  EVP_PKEY *ca_key, *key;
  X509 *ca;
  int memory; /* the file if it is in memory, otherwise -1 */
};

static bool write_pem(X509 *cert, int fd) {
  FILE *file = fdopen(fd, "w");
  if (!file) {
    close(fd);
    return false;
  }
  bool ok = PEM_write_X509(file, cert) == 1;
  return fclose(file) == 0 && ok;
}

/* A container may have no directory for temporary files. A file in memory has a name below /proc,
 * which other processes of the user can open, too. */
static bool keep_in_memory(sim_authority *authority, char *path, size_t size) {
  authority->memory = memfd_create("f5lua-sim-ca", MFD_CLOEXEC);
  if (authority->memory < 0) return false;
  int copy = dup(authority->memory);
  if (copy < 0 || !write_pem(authority->ca, copy)) return false;
  int length = snprintf(path, size, "/proc/%ld/fd/%d", (long)getpid(), authority->memory);
  return length > 0 && (size_t)length < size && access(path, R_OK) == 0;
}

static bool write_ca(sim_authority *authority, char *path, size_t size) {
  const char *directory = getenv("TMPDIR");
  if (!directory || !*directory) directory = "/tmp";
  int length = snprintf(path, size, "%s/f5lua-sim-ca-XXXXXX.pem", directory);
  if (length < 0 || (size_t)length >= size) return false;
  int fd = mkstemps(path, 4);
  if (fd < 0) {
    if (keep_in_memory(authority, path, size)) return true;
    snprintf(path, size, "%s", directory); /* for the message */
    return false;
  }
  if (write_pem(authority->ca, fd)) return true;
  unlink(path);
  return keep_in_memory(authority, path, size); /* the disk is full */
}

sim_authority *sim_authority_new(char *path, size_t path_size, char *error, size_t error_size) {
  sim_authority *authority = calloc(1, sizeof *authority);
  if (authority) {
    authority->memory = -1;
    authority->ca_key = EVP_EC_gen("P-256");
    authority->key = EVP_EC_gen("P-256");
    authority->ca = authority->ca_key && authority->key ? make_ca(authority->ca_key) : NULL;
  }
  if (!authority || !authority->ca) {
    char reason[160];
    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    snprintf(error, error_size, "cannot create a certificate: %s", reason);
  } else if (!write_ca(authority, path, path_size)) {
    snprintf(error, error_size, "cannot write the CA certificate to %s", path);
  } else {
    return authority;
  }
  sim_authority_free(authority);
  return NULL;
}

void sim_authority_free(sim_authority *authority) {
  if (!authority) return;
  if (authority->memory >= 0) close(authority->memory);
  X509_free(authority->ca);
  EVP_PKEY_free(authority->key);
  EVP_PKEY_free(authority->ca_key);
  free(authority);
}

bool sim_authority_certify(const sim_authority *authority, SSL_CTX *ctx, const char *hostname,
                           const char *address) {
  X509 *leaf = make_leaf(authority->key, authority->ca, authority->ca_key, hostname, address);
  bool ok = leaf && SSL_CTX_use_certificate(ctx, leaf) == 1 &&
            SSL_CTX_use_PrivateKey(ctx, authority->key) == 1;
  X509_free(leaf);
  return ok;
}

bool sim_authority_certify_connection(const sim_authority *authority, SSL *ssl,
                                      const char *address) {
  X509 *leaf = make_leaf(authority->key, authority->ca, authority->ca_key, NULL, address);
  bool ok =
      leaf && SSL_use_certificate(ssl, leaf) == 1 && SSL_use_PrivateKey(ssl, authority->key) == 1;
  X509_free(leaf);
  return ok;
}
