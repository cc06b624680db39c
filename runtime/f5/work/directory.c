#include "f5/work/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>

#include "f5/report/error.h"

static int refuse(lua_State *L, const char *path, int reason) {
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", path, strerror(reason));
  return 2;
}

/* Makes each directory of the path that does not exist. Changes the path on the way. */
static int make_all(char *path) {
  for (char *at = path + 1;; at++) {
    if (*at && *at != '/') continue;
    char end = *at;
    *at = '\0';
    int failed = mkdir(path, 0700) != 0 && errno != EEXIST ? errno : 0;
    *at = end;
    if (failed) return failed;
    if (!end) return 0;
  }
}

static int make_directory(lua_State *L) {
  const char *path = error_check_path(L, 1, "make_directory");
  struct stat status;
  if (!*path) return refuse(L, path, ENOENT);
  char *copy = strdup(path);
  if (!copy) return luaL_error(L, "not enough memory");
  int reason = make_all(copy);
  free(copy);
  if (!reason && stat(path, &status) != 0) reason = errno;
  if (!reason && !S_ISDIR(status.st_mode)) reason = ENOTDIR;
  if (reason) return refuse(L, path, reason);
  lua_pushboolean(L, true);
  return 1;
}

static int list_directory(lua_State *L) {
  const char *path = error_check_path(L, 1, "list_directory");
  struct dirent **entries = NULL;
  int count = scandir(path, &entries, NULL, alphasort);
  if (count < 0 && errno != ENOENT) return refuse(L, path, errno);
  lua_newtable(L);
  lua_Integer place = 0;
  for (int i = 0; i < count; i++) {
    if (entries[i]->d_name[0] != '.') {
      lua_pushstring(L, entries[i]->d_name);
      lua_rawseti(L, -2, ++place);
    }
    free(entries[i]);
  }
  free(entries);
  return 1;
}

static int sync_directory(lua_State *L) {
  const char *path = error_check_path(L, 1, "sync_directory");
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return 0;
  fsync(fd);
  close(fd);
  return 0;
}

void directory_register(lua_State *L) {
  static const luaL_Reg functions[] = {{"list_directory", list_directory},
                                       {"make_directory", make_directory},
                                       {"sync_directory", sync_directory},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
