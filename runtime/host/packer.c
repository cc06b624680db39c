/* The module "f5.bundle": f5.asset's way to the archive, and the parts of packing that Lua alone cannot do: checksums,
 * signatures, directories, and a file that is replaced whole or not at all.
 *
 * Functions that may fail for outside reasons return nil and a message. */
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

#include "host/bundle.h"
#include "host/fuse.h"

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

/* A passphrase is never asked for: build is made for scripts. */
static int no_passphrase(char *buffer, int size, int writing, void *data) {
  (void)buffer, (void)size, (void)writing, (void)data;
  return -1;
}

static EVP_PKEY *read_key(lua_State *L, const char *pem, size_t length, bool private_key) {
  BIO *input = BIO_new_mem_buf(pem, (int)length);
  if (!input) luaL_error(L, "not enough memory");
  EVP_PKEY *key = private_key ? PEM_read_bio_PrivateKey(input, NULL, no_passphrase, NULL)
                              : PEM_read_bio_PUBKEY(input, NULL, no_passphrase, NULL);
  BIO_free(input);
  ERR_clear_error();
  if (key && EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519) {
    EVP_PKEY_free(key);
    key = NULL;
  }
  return key;
}

/* sign(PEM of a private key, program) -> 64 bytes */
static int sign(lua_State *L) {
  size_t pem_length, length, signature_length = BUNDLE_SIGNATURE;
  const char *pem = luaL_checklstring(L, 1, &pem_length), *program = luaL_checklstring(L, 2, &length);
  EVP_PKEY *key = read_key(L, pem, pem_length, true);
  if (!key) {
    lua_pushnil(L);
    lua_pushliteral(
        L, "not an Ed25519 private key in PEM without a passphrase (openssl genpkey -algorithm ed25519 makes one)");
    return 2;
  }
  char text[BUNDLE_SIGNED_TEXT];
  unsigned char signature[BUNDLE_SIGNATURE];
  size_t text_length = bundle_signed_text(program, length, text);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool done = context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestSign(context, signature, &signature_length, (const unsigned char *)text, text_length) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  if (!done) return luaL_error(L, "OpenSSL could not sign");
  lua_pushlstring(L, (const char *)signature, sizeof signature);
  return 1;
}

/* verify(PEM of a public key, program, signature) -> boolean */
static int verify(lua_State *L) {
  size_t pem_length, length, signature_length, raw_length = 32;
  const char *pem = luaL_checklstring(L, 1, &pem_length), *program = luaL_checklstring(L, 2, &length);
  const char *signature = luaL_checklstring(L, 3, &signature_length);
  luaL_argcheck(L, signature_length == BUNDLE_SIGNATURE, 3, "a signature has 64 bytes");
  EVP_PKEY *key = read_key(L, pem, pem_length, false);
  unsigned char raw[32];
  bool read = key && EVP_PKEY_get_raw_public_key(key, raw, &raw_length) == 1;
  EVP_PKEY_free(key);
  if (!read) {
    lua_pushnil(L);
    lua_pushliteral(L, "not an Ed25519 public key in PEM (openssl pkey -pubout makes one of a private key)");
    return 2;
  }
  lua_pushboolean(L, bundle_signature_holds(raw, program, length, (const unsigned char *)signature));
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

/* Runs protected: (listing as light userdata) -> array of names */
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
  int status = lua_pcall(L, 1, 1, 0); /* without memory the entries go all the same */
  for (int i = 0; i < found.count; i++)
    free(found.entries[i]);
  free(found.entries);
  return status == LUA_OK ? 1 : lua_error(L);
}

static bool write_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(fd, bytes, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes += written;
    length -= (size_t)written;
  }
  return true;
}

/* The directory's entry is on the disk too when this returns; some file systems cannot, which is no reason to fail. */
static void sync_directory(const char *path, const char *slash) {
  char directory[PATH_MAX] = ".";
  if (slash) snprintf(directory, sizeof directory, "%.*s", slash == path ? 1 : (int)(slash - path), path);
  int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

/* replace(path, executable, bytes, ...) -> true; or nil, message with the old file as it was.
 * A new file beside the old one, synchronised and renamed over it: whoever opens the path sees the old or the new
 * whole, a program that runs from the old one goes on undisturbed, and a full disk is found out before the old one is
 * gone. */
static int replace(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  for (int i = 3; i <= lua_gettop(L); i++) /* before anything is open that an error would leave open */
    luaL_checktype(L, i, LUA_TSTRING);
  mode_t mode = lua_toboolean(L, 2) ? 0777 : 0666, mask = umask(0);
  umask(mask);
  const char *slash = strrchr(path, '/');
  char temporary[PATH_MAX];
  int length = snprintf(temporary, sizeof temporary, "%.*s.%.200s.XXXXXX", slash ? (int)(slash + 1 - path) : 0, path,
                        slash ? slash + 1 : path);
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
    {"asset", asset},   {"packed", packed},       {"crc32", crc32}, {"sha256", sha256},   {"sign", sign},
    {"verify", verify}, {"file_type", file_type}, {"list", list},   {"replace", replace}, {"real_path", real_path},
    {NULL, NULL},
};

int luaopen_f5_bundle(lua_State *L) {
  unsigned char fuse[FUSE_SIZE];
  fuse_read(fuse);
  luaL_newlib(L, functions);
  lua_pushlstring(L, (const char *)fuse + FUSE_MAGIC, FUSE_FORMAT - FUSE_MAGIC);
  lua_setfield(L, -2, "magic");
  return 1;
}
