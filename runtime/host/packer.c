/* The module "f5.bundle": reads the archive for f5.asset, and does what Lua cannot do for packing:
 * checksums, signatures, directories, and replacing a file completely or not at all.
 *
 * Functions that can fail for external reasons return nil and a message. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "base/write_all.h"
#include "f5/report/secret.h"
#include "host/bundle.h"
#include "host/fuse.h"

#define ED25519_SIZE 32
#define MAX_DER 1024       /* an Ed25519 key has 48 bytes, with attributes more */
#define MAX_KEY_FILE 16384 /* size limit for a file with a private key */

static int fail(lua_State *L, const char *what, int reason) {
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", what, strerror(reason));
  return 2;
}

/* crc32(bytes) -> integer */
static int crc32(lua_State *L) {
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  lua_pushinteger(L, bundle_crc(0, bytes, length));
  return 1;
}

/* sha256(bytes) -> 32 bytes */
static int sha256(lua_State *L) {
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256((const unsigned char *)bytes, length, digest);
  lua_pushlstring(L, (const char *)digest, sizeof digest);
  return 1;
}

/* -- signatures -- */

/* Never asks for a passphrase: build is made for scripts. */
static int no_passphrase(char *buffer, int size, int writing, void *data) {
  (void)buffer, (void)size, (void)writing, (void)data;
  return -1;
}

/* Decodes the block of PEM. Returns the length of the DER, or -1 if there is none. `digits` is a
 * buffer. */
static int decode_key(const char *pem, unsigned char *digits, unsigned char *der) {
  static const char begin[] = "-----BEGIN PRIVATE KEY-----", end[] = "-----END PRIVATE KEY-----";
  const char *at = strstr(pem, begin), *stop = at ? strstr(at, end) : NULL;
  int count = 0;
  if (!stop) return -1;
  for (at += sizeof begin - 1; at < stop && count < MAX_DER; at++)
    if (!strchr(" \t\r\n", *at)) digits[count++] = (unsigned char)*at;
  return at == stop ? EVP_DecodeBlock(der, digits, count) : -1;
}

/* Reads an Ed25519 key in PKCS #8. NULL for other keys and if out of memory. Does not use OpenSSL's
 * readers, because they leave lines of the file in freed memory. */
static EVP_PKEY *read_private_key(const secret *pem) {
  EVP_PKEY *key = NULL;
  unsigned char digits[MAX_DER], der[MAX_DER];
  const unsigned char *at = der, *octets;
  const ASN1_OBJECT *algorithm;
  int size, length = decode_key(secret_string(pem), digits, der);
  PKCS8_PRIV_KEY_INFO *info = length > 0 ? d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, length) : NULL;
  /* The key is an OCTET STRING inside an OCTET STRING (RFC 8410). */
  if (info && PKCS8_pkey_get0(&algorithm, &octets, &size, NULL, info) == 1 &&
      OBJ_obj2nid(algorithm) == NID_ED25519 && size == 2 + ED25519_SIZE &&
      octets[0] == V_ASN1_OCTET_STRING && octets[1] == ED25519_SIZE)
    key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, octets + 2, ED25519_SIZE);
  PKCS8_PRIV_KEY_INFO_free(info); /* also wipes it */
  secret_wipe(digits, sizeof digits);
  secret_wipe(der, sizeof der);
  ERR_clear_error();
  return key;
}

/* Reads an Ed25519 key. NULL for other keys and if out of memory. */
static EVP_PKEY *read_public_key(const char *pem, size_t length) {
  BIO *input = BIO_new_mem_buf(pem, (int)length);
  EVP_PKEY *key = input ? PEM_read_bio_PUBKEY(input, NULL, no_passphrase, NULL) : NULL;
  BIO_free(input);
  ERR_clear_error();
  if (key && EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519) {
    EVP_PKEY_free(key);
    key = NULL;
  }
  return key;
}

/* Reads a file into memory that is wiped. NULL and errno on failure. */
static secret *read_secret(const char *path) {
  char buffer[MAX_KEY_FILE + 1];
  size_t length = 0;
  ssize_t got = 1;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NULL;
  while (length < MAX_KEY_FILE && got != 0) {
    got = read(fd, buffer + length, MAX_KEY_FILE - length);
    if (got < 0 && errno != EINTR) break;
    if (got > 0) length += (size_t)got;
  }
  int reason = errno;
  close(fd);
  buffer[length] = '\0';
  const char *const parts[] = {buffer};
  secret *read = got < 0 ? NULL : secret_quiet(parts, 1);
  secret_wipe(buffer, sizeof buffer);
  errno = got < 0 ? reason : ENOMEM;
  return read;
}

/* sign(file with a private key, program) -> 64 bytes; nil, message */
static int sign(lua_State *L) {
  size_t length, signature_length = BUNDLE_SIGNATURE;
  const char *path = luaL_checkstring(L, 1), *program = luaL_checklstring(L, 2, &length);
  secret *pem = read_secret(path);
  if (!pem) {
    lua_pushnil(L);
    lua_pushfstring(L, "cannot read %s: %s", path, strerror(errno));
    return 2;
  }
  EVP_PKEY *key = read_private_key(pem);
  secret_free(pem);
  if (!key) {
    lua_pushnil(L);
    lua_pushfstring(L,
                    "%s: not an Ed25519 private key in PEM without a passphrase (create one "
                    "with openssl genpkey -algorithm ed25519)",
                    path);
    return 2;
  }
  char signed_text[BUNDLE_SIGNED_TEXT];
  unsigned char signature[BUNDLE_SIGNATURE];
  size_t text_length = bundle_signed_text(program, length, signed_text);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool done = context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestSign(context, signature, &signature_length,
                             (const unsigned char *)signed_text, text_length) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  if (!done) return luaL_error(L, "OpenSSL cannot sign the program");
  lua_pushlstring(L, (const char *)signature, sizeof signature);
  return 1;
}

/* verify(PEM of a public key, program, signature) -> boolean */
static int verify(lua_State *L) {
  size_t pem_length, length, signature_length, raw_length = 32;
  const char *pem = luaL_checklstring(L, 1, &pem_length),
             *program = luaL_checklstring(L, 2, &length);
  const char *signature = luaL_checklstring(L, 3, &signature_length);
  luaL_argcheck(L, signature_length == BUNDLE_SIGNATURE, 3, "a signature must have 64 bytes");
  EVP_PKEY *key = read_public_key(pem, pem_length);
  unsigned char raw[32];
  bool read = key && EVP_PKEY_get_raw_public_key(key, raw, &raw_length) == 1;
  EVP_PKEY_free(key);
  if (!read) {
    lua_pushnil(L);
    lua_pushliteral(L, "not an Ed25519 public key in PEM (create one with openssl pkey -pubout)");
    return 2;
  }
  lua_pushboolean(L,
                  bundle_signature_holds(raw, program, length, (const unsigned char *)signature));
  return 1;
}

/* -- files -- */

static const char *type_of(mode_t mode) {
  return S_ISDIR(mode) ? "directory" : S_ISREG(mode) ? "file" : "other";
}

/* file_type(path) -> "file", "directory" or "other", whether it may be executed; or nil, message */
static int file_type(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  struct stat status;
  if (stat(path, &status) != 0) return fail(L, path, errno);
  lua_pushstring(L, type_of(status.st_mode));
  lua_pushboolean(L, S_ISREG(status.st_mode) && access(path, X_OK) == 0);
  return 2;
}

/* real_path(path) -> absolute path without links */
static int real_path(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  char resolved[PATH_MAX];
  if (!realpath(path, resolved)) return fail(L, path, errno);
  lua_pushstring(L, resolved);
  return 1;
}

typedef struct listing {
  struct dirent **entries;
  int count;
} listing;

/* Runs protected: (light userdata of the listing) -> array of names */
static int push_names(lua_State *L) {
  const listing *found = lua_touserdata(L, 1);
  lua_createtable(L, found->count, 0);
  lua_Integer kept = 0;
  for (int i = 0; i < found->count; i++) {
    const char *name = found->entries[i]->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    lua_pushstring(L, name);
    lua_rawseti(L, -2, ++kept);
  }
  return 1;
}

/* list(directory) -> array of names, sorted, without . and .. */
static int list(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  listing found;
  lua_pushcfunction(L, push_names);
  lua_pushlightuserdata(L, &found);
  found.count = scandir(path, &found.entries, NULL, alphasort);
  if (found.count < 0) return fail(L, path, errno);
  int status = lua_pcall(L, 1, 1, 0); /* the entries must be freed even if this fails */
  for (int i = 0; i < found.count; i++)
    free(found.entries[i]);
  free(found.entries);
  return status == LUA_OK ? 1 : lua_error(L);
}

/* Makes sure that the directory entry is on the disk. Some file systems cannot do that; this is not
 * an error. */
static void sync_directory(const char *path, const char *slash) {
  char directory[PATH_MAX] = ".";
  if (slash)
    snprintf(directory, sizeof directory, "%.*s", slash == path ? 1 : (int)(slash - path), path);
  int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

/* replace(path, executable, bytes, ...) -> true; or nil, message, and the old file is unchanged.
 *
 * Writes a new file next to the old one, synchronises it, and renames it over the old one. So
 * others see the old or the new file, never a part of it. A program that runs from the old file is
 * not disturbed, and a full disk is noticed before the old file is gone. */
static int replace(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  /* Check the arguments before anything is open that an error would leave open. */
  for (int i = 3; i <= lua_gettop(L); i++)
    luaL_checktype(L, i, LUA_TSTRING);
  mode_t mode = lua_toboolean(L, 2) ? 0777 : 0666, mask = umask(0);
  umask(mask);
  const char *slash = strrchr(path, '/');
  char temporary[PATH_MAX];
  int length = snprintf(temporary, sizeof temporary, "%.*s.%.200s.XXXXXX",
                        slash ? (int)(slash + 1 - path) : 0, path, slash ? slash + 1 : path);
  if (length >= (int)sizeof temporary) return fail(L, path, ENAMETOOLONG);
  int fd = mkostemp(temporary, O_CLOEXEC);
  if (fd < 0) return fail(L, path, errno);
  bool done = true;
  for (int i = 3; done && i <= lua_gettop(L); i++) {
    size_t size;
    const char *bytes = lua_tolstring(L, i, &size);
    done = write_all(fd, bytes, size);
  }
  done = done && fchmod(fd, mode & ~mask) == 0 && fsync(fd) == 0;
  int reason = errno;
  if (close(fd) != 0 && done) {
    reason = errno;
    done = false;
  }
  if (done && rename(temporary, path) != 0) {
    reason = errno;
    done = false;
  }
  if (!done) {
    unlink(temporary);
    return fail(L, path, reason);
  }
  sync_directory(path, slash);
  lua_pushboolean(L, true);
  return 1;
}

/* -- this program -- */

/* packed() -> whether this is a packed program */
static int packed(lua_State *L) {
  lua_pushboolean(L, bundle_current() != NULL);
  return 1;
}

/* asset(name) -> contents, or nil */
static int asset(lua_State *L) {
  size_t length;
  const char *name = luaL_checklstring(L, 1, &length);
  const bundle *b = bundle_current();
  archive_entry entry;
  if (b && archive_find(bundle_archive(b), ARCHIVE_ASSET, name, length, &entry))
    lua_pushlstring(L, entry.contents, entry.length);
  else
    lua_pushnil(L);
  return 1;
}

static const luaL_Reg functions[] = {
    {"asset", asset},         {"packed", packed}, {"crc32", crc32},
    {"sha256", sha256},       {"sign", sign},     {"verify", verify},
    {"file_type", file_type}, {"list", list},     {"replace", replace},
    {"real_path", real_path}, {NULL, NULL},
};

int luaopen_f5_bundle(lua_State *L) {
  unsigned char fuse[FUSE_SIZE];
  fuse_read(fuse);
  luaL_newlib(L, functions);
  lua_pushlstring(L, (const char *)fuse + FUSE_MAGIC, FUSE_FORMAT - FUSE_MAGIC);
  lua_setfield(L, -2, "magic");
  return 1;
}
