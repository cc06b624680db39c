#include "f5/work/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/metatable.h"
#include "base/write_all.h"
#include "f5/report/error.h"

#define NEW_FILE "f5.new_file"

#define ATTEMPTS 100         /* to find a free name */
#define RENAME_NO_REPLACE 1u /* RENAME_NOREPLACE, which not every C library has */

/* "." or the path up to the last slash; NULL: not enough memory */
static char *directory_of(const char *path) {
  const char *slash = strrchr(path, '/');
  if (!slash) return strdup(".");
  return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static char *temporary_name(const char *path) {
  size_t length = strlen(path) + sizeof ".XXXXXX";
  char *name = malloc(length);
  if (name) snprintf(name, length, "%s.XXXXXX", path);
  return name;
}

/* A file without a name needs /proc to get one. */
static int open_nameless(const char *path) {
  if (access("/proc/self/fd", X_OK) != 0) return -1;
  char *directory = directory_of(path);
  if (!directory) return -1;
  int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  free(directory);
  return fd;
}

/* Whether a new file may take this place: nothing is there, a file, or a link to a file. A link
 * into /proc, such as /dev/stdout, stays: it belongs to the system. */
static bool can_replace(const char *path) {
  static const char system[] = "/proc/";
  struct stat status;
  char target[sizeof system] = "";
  ssize_t length = readlink(path, target, sizeof target - 1);
  if (length > 0 && strncmp(target, system, sizeof system - 1) == 0) {
    errno = EINVAL;
    return false;
  }
  if (stat(path, &status) != 0 || S_ISREG(status.st_mode)) return true;
  errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
  return false;
}

bool new_file_open(new_file *file, const char *path) {
  *file = NEW_FILE_NONE;
  if (!can_replace(path)) return false;
  file->fd = open_nameless(path);
  if (file->fd >= 0) return true;
  file->temporary = temporary_name(path);
  if (!file->temporary) return false;
  file->fd = mkostemp(file->temporary, O_CLOEXEC);
  if (file->fd >= 0) return true;
  int reason = errno;
  free(file->temporary);
  file->temporary = NULL; /* nothing to remove */
  errno = reason;
  return false;
}

/* Gives a file without a name one that nobody has yet. */
static bool name_file(new_file *file, const char *path) {
  char source[64];
  snprintf(source, sizeof source, "/proc/self/fd/%d", file->fd);
  for (int i = 0; i < ATTEMPTS; i++) {
    char *name = temporary_name(path);
    if (!name) return false;
    int taken = mkostemp(name, O_CLOEXEC); /* finds the name */
    if (taken < 0) {
      free(name);
      return false;
    }
    close(taken);
    unlink(name);
    if (linkat(AT_FDCWD, source, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0) {
      file->temporary = name;
      return true;
    }
    int reason = errno;
    free(name);
    errno = reason;
    if (reason != EEXIST) return false;
  }
  return false;
}

/* Brings the entry of the directory to the disk. Some file systems cannot; that is no error. */
static void sync_directory(const char *path) {
  char *directory = directory_of(path);
  int fd = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  free(directory);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

/* Not every file system has hard links, and not every one can rename so. */
static bool name_without_replacing(const char *temporary, const char *path) {
#ifdef SYS_renameat2
  if (syscall(SYS_renameat2, AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NO_REPLACE) == 0)
    return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
#endif
  if (link(temporary, path) != 0) return false;
  unlink(temporary);
  return true;
}

bool new_file_keep(new_file *file, const char *path, bool replace) {
  if (fsync(file->fd) != 0) return false;
  if (!file->temporary && !name_file(file, path)) return false;
  if (replace) {
    if (rename(file->temporary, path) != 0) return false;
  } else {
    if (!name_without_replacing(file->temporary, path)) return false;
  }
  free(file->temporary);
  file->temporary = NULL;
  sync_directory(path);
  return true;
}

const char *new_file_reason(void) {
  return errno == EINVAL ? "not a regular file" : strerror(errno);
}

void new_file_discard(new_file *file) {
  int reason = errno;
  if (file->fd >= 0) close(file->fd);
  if (file->temporary) unlink(file->temporary);
  free(file->temporary);
  *file = NEW_FILE_NONE;
  errno = reason;
}

/* -- for Lua -- */

int new_file_lua_write(lua_State *L) {
  size_t length;
  const char *path = error_check_path(L, 1, "write_file");
  const char *bytes = luaL_checklstring(L, 2, &length);
  new_file file;
  bool done = new_file_open(&file, path) && write_all(file.fd, bytes, length) &&
              new_file_keep(&file, path, !lua_toboolean(L, 3));
  new_file_discard(&file);
  if (!done) {
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", path, new_file_reason());
    return 2;
  }
  lua_pushboolean(L, true);
  return 1;
}

int new_file_lua_taken(lua_State *L) {
  struct stat status;
  lua_pushboolean(L, lstat(error_check_path(L, 1, "name_is_taken"), &status) == 0);
  return 1;
}

typedef struct lua_file {
  new_file file;
  bool open;
} lua_file;

/* Pushes nil and the reason. Value 1 is the file, its user value the path. */
static int refused(lua_State *L) {
  const char *reason = new_file_reason();
  lua_pushnil(L);
  lua_getiuservalue(L, 1, 1);
  lua_pushfstring(L, "%s: %s", lua_tostring(L, -1), reason);
  lua_remove(L, -2); /* path */
  return 2;
}

static lua_file *check_open(lua_State *L) {
  lua_file *f = luaL_checkudata(L, 1, NEW_FILE);
  if (!f->open) luaL_error(L, "the file is closed");
  return f;
}

static int lua_file_write(lua_State *L) {
  lua_file *f = check_open(L);
  size_t length;
  const char *bytes = luaL_checklstring(L, 2, &length);
  if (!write_all(f->file.fd, bytes, length)) return refused(L);
  lua_pushboolean(L, true);
  return 1;
}

static int lua_file_keep(lua_State *L) {
  lua_file *f = check_open(L);
  lua_getiuservalue(L, 1, 1);
  if (!new_file_keep(&f->file, lua_tostring(L, -1), true)) return refused(L);
  f->open = false;
  new_file_discard(&f->file);
  lua_pushboolean(L, true);
  return 1;
}

static int lua_file_close(lua_State *L) {
  lua_file *f = luaL_checkudata(L, 1, NEW_FILE);
  if (f->open) new_file_discard(&f->file);
  f->open = false;
  return 0;
}

int new_file_lua_open(lua_State *L) {
  const char *path = error_check_path(L, 1, "new_file");
  lua_settop(L, 1);
  lua_file *f = lua_newuserdatauv(L, sizeof *f, 1);
  f->open = false;
  f->file = NEW_FILE_NONE;
  luaL_setmetatable(L, NEW_FILE);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  if (!new_file_open(&f->file, path)) {
    lua_replace(L, 1); /* the file, for refused */
    return refused(L);
  }
  f->open = true;
  return 1;
}

void new_file_setup(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"close", lua_file_close}, {"keep", lua_file_keep}, {"write", lua_file_write}, {NULL, NULL}};
  if (luaL_newmetatable(L, NEW_FILE)) {
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, lua_file_close);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, lua_file_close);
    lua_setfield(L, -2, "__close");
    metatable_hide(L, "file");
  }
  lua_pop(L, 1); /* metatable */
}
