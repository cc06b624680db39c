/* Finds the CA certificates of the system. libcurl has the path of the distribution it was built on
 * compiled in, but a packed program runs on any distribution. */
#include "net/ca.h"

#include <dirent.h>
#include <openssl/x509_vfy.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CACHE_SECONDS = 300 };

/* A directory with this many hashed certificates is complete. Administrators add fewer by hand,
 * next to a bundle with the rest. */
enum { MIN_COMPLETE = 8 };

static const char *const directories[] = {
    "/etc/ssl/certs",                                 /* Debian, SUSE, Alpine */
    "/etc/pki/ca-trust/extracted/pem/directory-hash", /* RHEL 9 and later, Fedora */
    "/var/lib/ca-certificates/pem",                   /* SUSE */
    "/etc/pki/tls/certs",                             /* RHEL */
};

static const char *const bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Alpine */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* RHEL 7 and later */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* RHEL */
    "/etc/ssl/ca-bundle.pem",                            /* SUSE */
    "/etc/ssl/cert.pem",                                 /* Alpine */
};

/* Names in OpenSSL's hashed directories: eight hexadecimal digits, a dot, a number. */
static bool is_hashed(const char *name) {
  return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' && name[9] >= '0' &&
         name[9] <= '9';
}

/* Counts hashed names, up to MIN_COMPLETE. */
static int count_hashed(const char *path) {
  DIR *directory = opendir(path);
  if (!directory) return 0;
  int count = 0;
  for (struct dirent *entry; count < MIN_COMPLETE && (entry = readdir(directory));)
    count += is_hashed(entry->d_name);
  closedir(directory);
  return count;
}

static bool is_system_bundle(const char *path) {
  for (size_t i = 0; i < sizeof bundles / sizeof *bundles; i++)
    if (strcmp(bundles[i], path) == 0) return true;
  return false;
}

static void probe(const char **directory, const char **bundle) {
  const char *sparse = NULL;
  for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
    int count = count_hashed(directories[i]);
    if (count >= MIN_COMPLETE) {
      *directory = directories[i];
      return;
    }
    if (count > 0 && !sparse) sparse = directories[i];
  }
  for (size_t i = 0; i < sizeof bundles / sizeof *bundles; i++) {
    struct stat file;
    if (stat(bundles[i], &file) == 0 && file.st_size > 0 && access(bundles[i], R_OK) == 0) {
      *bundle = bundles[i];
      return;
    }
  }
  *directory = sparse;
}

void http_system_ca(const char **directory, const char **bundle) {
  static const char *found_directory, *found_bundle;
  static bool probed;
  *directory = *bundle = NULL;
  const char *file = getenv("SSL_CERT_FILE"), *hashed = getenv("SSL_CERT_DIR");
  bool has_file = file && *file != '\0', has_hashed = hashed && *hashed != '\0';
  /* With both, libcurl would not cache the CA store, which costs each connection 50 ms. The file
   * wins, because people set it to add their own certificates; but not if it is a bundle of the
   * system, whose certificates are in the directory, too. */
  if (has_file && has_hashed && is_system_bundle(file) && count_hashed(hashed) == MIN_COMPLETE)
    has_file = false;
  if (has_file) {
    *bundle = file;
  } else if (has_hashed) {
    *directory = hashed;
  } else {
    if (!probed) probe(&found_directory, &found_bundle);
    probed = true;
    *directory = found_directory;
    *bundle = found_bundle;
  }
}

void *http_ca_store(const char *directory) {
  static X509_STORE *store;
  static char *of;
  static time_t since;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (store && strcmp(of, directory) == 0 && now.tv_sec - since < CACHE_SECONDS) return store;
  X509_STORE_free(store); /* connections that use it have their own reference */
  free(of);
  since = now.tv_sec;
  of = strdup(directory);
  store = of ? X509_STORE_new() : NULL;
  return store;
}
