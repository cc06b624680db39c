#include "f5/work/system.h"
#include "base/metatable.h"
#include "base/push_owned.h"
#include "base/text.h"
#include "base/write_all.h"
#include "f5/report/base64.h"
#include "f5/report/error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>
#include <openssl/evp.h>

#define APPEND_FILE "f5.append_file"

typedef struct append_file {
  int fd; /* -1 when closed */
} append_file;

int append_file_of(lua_State *L, int index) {
  const append_file *file = luaL_checkudata(L, index, APPEND_FILE);
  if (file->fd < 0) luaL_error(L, "the file is closed");
  return file->fd;
}

static append_file *check_open(lua_State *L) {
  append_file_of(L, 1);
  return lua_touserdata(L, 1);
}

static int system_append_open(lua_State *L) {
  const char *path = error_check_path(L, 1, "journal");
  append_file *file = lua_newuserdatauv(L, sizeof *file, 0);
  file->fd = -1;
  luaL_setmetatable(L, APPEND_FILE);
  file->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file->fd < 0 && errno == ELOOP)
    return luaL_error(L, "cannot use '%s': it is a link; name the file itself", path);
  if (file->fd < 0) return luaL_error(L, "cannot open '%s': %s", path, strerror(errno));
  struct stat info;
  if (fstat(file->fd, &info) != 0 || !S_ISREG(info.st_mode))
    return luaL_error(L, "cannot use '%s': not a regular file", path);
  if (flock(file->fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return luaL_error(
          L, "'%s' is in use by another run; wait for it, or use another file for this run", path);
    return luaL_error(L, "cannot lock '%s': %s", path, strerror(errno));
  }
  return 1;
}

static int append_file_read(lua_State *L) {
  append_file *file = check_open(L);
  struct stat info;
  luaL_Buffer buffer;
  off_t at = 0;
  const lua_Integer most = luaL_optinteger(L, 2, LUA_MAXINTEGER);
  if (fstat(file->fd, &info) != 0) return luaL_error(L, "cannot read: %s", strerror(errno));
  const off_t end = info.st_size < most ? info.st_size : (off_t)most;
  luaL_buffinit(L, &buffer);
  while (at < end) {
    char *space = luaL_prepbuffer(&buffer);
    const size_t left = (size_t)(end - at);
    ssize_t got =
        pread(file->fd, space, left < LUAL_BUFFERSIZE ? left : (size_t)LUAL_BUFFERSIZE, at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return luaL_error(L, "cannot read: %s", strerror(errno));
    if (got == 0) break;
    luaL_addsize(&buffer, (size_t)got);
    at += got;
  }
  luaL_pushresult(&buffer);
  return 1;
}

static int append_file_truncate(lua_State *L) {
  append_file *file = check_open(L);
  lua_Integer bytes = luaL_checkinteger(L, 2);
  luaL_argcheck(L, bytes >= 0, 2, "must not be negative");
  if (ftruncate(file->fd, (off_t)bytes) != 0)
    return luaL_error(L, "cannot truncate: %s", strerror(errno));
  return 0;
}

static int append_file_append(lua_State *L) {
  append_file *file = check_open(L);
  size_t length;
  const char *bytes = luaL_checklstring(L, 2, &length);
  off_t before = lseek(file->fd, 0, SEEK_END);
  if (!write_all(file->fd, bytes, length)) {
    int reason = errno;
    /* a partial line would make the next run reject the file */
    if (before >= 0 && ftruncate(file->fd, before) != 0) reason = errno;
    return luaL_error(L, "cannot write: %s", strerror(reason));
  }
  bool later = lua_isboolean(L, 3) && !lua_toboolean(L, 3);
  if (!later && fdatasync(file->fd) != 0)
    return luaL_error(L, "cannot write to the disk: %s", strerror(errno));
  return 0;
}

/* Not in two steps, "truncate" and "append": a program that is killed between them would leave a
 * file without its end. */
static int append_file_replace_end(lua_State *L) {
  append_file *file = check_open(L);
  lua_Integer at = luaL_checkinteger(L, 2);
  size_t length;
  const char *bytes = luaL_checklstring(L, 3, &length);
  luaL_argcheck(L, at >= 0, 2, "must not be negative");
  int flags = fcntl(file->fd, F_GETFL); /* with O_APPEND, pwrite would append */
  if (flags < 0 || fcntl(file->fd, F_SETFL, flags & ~O_APPEND) != 0)
    return luaL_error(L, "cannot write: %s", strerror(errno));
  while (length > 0) {
    ssize_t n = pwrite(file->fd, bytes, length, (off_t)at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return luaL_error(L, "cannot write: %s", strerror(errno));
    bytes += n;
    length -= (size_t)n;
    at += n;
  }
  return 0;
}

static int append_file_close(lua_State *L) {
  append_file *file = luaL_checkudata(L, 1, APPEND_FILE);
  if (file->fd >= 0) close(file->fd); /* the lock goes with it */
  file->fd = -1;
  return 0;
}

/* Pushes the digest of the bytes at 1 in hexadecimal digits. */
static int push_digest(lua_State *L, const EVP_MD *kind) {
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  unsigned char digest[EVP_MAX_MD_SIZE];
  char digits[2 * EVP_MAX_MD_SIZE + 1];
  unsigned size;
  if (!EVP_Digest(bytes, length, digest, &size, kind, NULL))
    return luaL_error(L, "cannot compute the %s", EVP_MD_get0_name(kind));
  for (unsigned i = 0; i < size; i++)
    snprintf(digits + (size_t)2 * i, 3, "%02x", digest[i]);
  lua_pushlstring(L, digits, (size_t)2 * size);
  return 1;
}

/* sha256(bytes) -> 64 hexadecimal digits */
static int system_sha256(lua_State *L) {
  return push_digest(L, EVP_sha256());
}

/* sha1(bytes) -> 40 hexadecimal digits: devices name the content of their files so */
static int system_sha1(lua_State *L) {
  return push_digest(L, EVP_sha1());
}

/* base64(bytes) -> text */
static int system_base64(lua_State *L) {
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  text encoded = {0};
  luaL_argcheck(L, length <= INT_MAX / 2, 1, "too long");
  base64_put(&encoded, bytes, length);
  push_owned_text(L, &encoded);
  return 1;
}

/* unbase64(text) -> bytes; nil if the text is no base64 */
static int system_unbase64(lua_State *L) {
  size_t length;
  const char *from = luaL_checklstring(L, 1, &length);
  text bytes = {0};
  if (base64_read(&bytes, from, length) || bytes.failed) {
    push_owned_text(L, &bytes); /* raises if memory ran out */
    return 1;
  }
  text_free(&bytes);
  return 0;
}

static int system_now(lua_State *L) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec / 1e9);
  return 1;
}

static int system_raise_open_files(lua_State *L) {
  lua_Integer wanted = luaL_checkinteger(L, 1);
  struct rlimit limit;
  luaL_argcheck(L, wanted > 0, 1, "must be positive");
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return luaL_error(L, "cannot read the limit of open files: %s", strerror(errno));
  if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < (rlim_t)wanted) {
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < (rlim_t)wanted)
      return luaL_error(
          L,
          "%I open files are needed, but the limit is %I: use fewer workers, or raise "
          "the limit (ulimit -Hn)",
          wanted, (LUAI_UACINT)limit.rlim_max);
    limit.rlim_cur = (rlim_t)wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
      return luaL_error(L, "cannot raise the limit of open files to %I: %s", wanted,
                        strerror(errno));
  }
  lua_pushinteger(L,
                  limit.rlim_cur == RLIM_INFINITY ? LUA_MAXINTEGER : (lua_Integer)limit.rlim_cur);
  return 1;
}

static const luaL_Reg append_file_methods[] = {
    {"append", append_file_append},     {"close", append_file_close},
    {"read", append_file_read},         {"replace_end", append_file_replace_end},
    {"truncate", append_file_truncate}, {NULL, NULL},
};

static const luaL_Reg system_functions[] = {
    {"append_open", system_append_open},
    {"base64", system_base64},
    {"now", system_now},
    {"raise_open_files", system_raise_open_files},
    {"sha256", system_sha256},
    {"sha1", system_sha1},
    {"unbase64", system_unbase64},
    {NULL, NULL},
};

void f5_system_register(lua_State *L) {
  if (luaL_newmetatable(L, APPEND_FILE)) {
    luaL_newlib(L, append_file_methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, append_file_close);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, append_file_close);
    lua_setfield(L, -2, "__close");
    metatable_hide(L, "file");
  }
  lua_pop(L, 1);
  luaL_setfuncs(L, system_functions, 0);
}
