#include "host/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#include "base/printable.h"
#include "host/fuse.h"
#include "host/little_endian.h"
#include "host/pinned_key.h"

struct bundle {
  archive contents;
  uint32_t flags;
};

static bundle opened; /* one for each process */
static const bundle *current;

uint32_t bundle_crc(uint32_t crc, const void *bytes, size_t length) {
  static uint32_t table[4][256];
  if (!table[0][1]) {
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; bit++)
        value = value >> 1 ^ (value & 1 ? 0xEDB88320u : 0);
      table[0][i] = value;
    }
    for (int row = 1; row < 4; row++)
      for (uint32_t i = 0; i < 256; i++)
        table[row][i] = table[row - 1][i] >> 8 ^ table[0][table[row - 1][i] & 0xFF];
  }
  const unsigned char *p = bytes, *end = p + length;
  crc = ~crc;
  /* Four bytes a step: an archive may contain large files, and this runs at every start. */
  for (; end - p >= 4; p += 4) {
    crc ^= get32(p);
    crc = table[3][crc & 0xFF] ^ table[2][crc >> 8 & 0xFF] ^ table[1][crc >> 16 & 0xFF] ^
          table[0][crc >> 24];
  }
  for (; p < end; p++)
    crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xFF];
  return ~crc;
}

/* -- opening -- */

static int broken(const char *reason) {
  printable_print(stderr,
                  "%s: %s\nThis file was made by 'f5lua build'. Build it again, or copy it again. "
                  "Do not use strip on it.\n",
                  program_invocation_short_name, reason);
  return BUNDLE_BROKEN;
}

/* The file is probably intact, so building it again would not help. */
static int unreadable(int reason) {
  printable_print(stderr, "%s: the program cannot read its own file: %s\n",
                  program_invocation_short_name, strerror(reason));
  if (reason == EACCES)
    printable_print(stderr, "A user needs permission to read the program as well as to execute it: "
                            "chmod a+rx FILE\n");
  return BUNDLE_BROKEN;
}

/* A chroot may have no /proc. The kernel also passes the name of the executed file. */
static int open_self(void) {
  int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (fd >= 0) return fd;
  unsigned long name = getauxval(AT_EXECFN);
  return name ? open((const char *)name, O_RDONLY | O_CLOEXEC)
              : -1; // NOLINT(performance-no-int-to-ptr)
}

static int check(const unsigned char *file, uint64_t length, const unsigned char fuse[FUSE_SIZE]) {
  uint64_t own = get64(fuse + FUSE_OWN), offset = get64(fuse + FUSE_OFFSET),
           size = get64(fuse + FUSE_LENGTH);
  if (get32(fuse + FUSE_FORMAT) != ARCHIVE_FORMAT)
    return broken("the program was built by another version of f5lua");
  if (length <= offset)
    return broken("the program's archive is missing: it was stripped or cut off");
  if (!inside(own, FUSE_SIZE, offset) || memcmp(file + own, fuse, FUSE_SIZE) != 0)
    return broken("the program cannot find its own file");
  if (!inside(offset, size, length)) return broken("the program's archive is truncated");
  opened.flags = get32(fuse + FUSE_FLAGS);
  if (bundle_crc(0, file + offset, (size_t)size) != get32(fuse + FUSE_CRC) ||
      !archive_open(&opened.contents, file + offset, (size_t)size))
    return broken("the program's archive is damaged");
  if (bundle_pinned()) {
    size_t end = (size_t)(offset + size);
    if (!(opened.flags & BUNDLE_FLAG_SIGNED) || !inside(end, BUNDLE_SIGNATURE, length))
      return broken("the program is not signed, and this runtime runs only signed programs");
    if (!bundle_signature_holds(pinned_key, file, end, file + end))
      return broken(
          "the program is not signed with the key that this runtime trusts, or the file was "
          "changed");
    if (length != end + BUNDLE_SIGNATURE)
      return broken("the program has bytes after its signature");
  }
  return 0;
}

int bundle_open(const bundle **b) {
  unsigned char fuse[FUSE_SIZE];
  *b = NULL;
  if (!fuse_read(fuse)) return 0;
  if (bundle_crc(0, fuse, FUSE_CHECK) != get32(fuse + FUSE_CHECK))
    return broken("the program is damaged");
  int fd = open_self();
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) return unreadable(errno);
  void *file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  int reason = errno;
  close(fd);
  if (file == MAP_FAILED) return unreadable(reason);
  int result = check(file, (uint64_t)status.st_size, fuse);
  if (result == 0) *b = current = &opened;
  return result;
}

const bundle *bundle_current(void) {
  return current;
}

bool bundle_pinned(void) {
  return has_pinned_key;
}

const archive *bundle_archive(const bundle *b) {
  return &b->contents;
}

/* -- Lua -- */

/* Text or bytecode: the archive is checked, and only f5lua build creates archives. As in files, a
 * byte order mark and a first line with # are skipped. The end of that line stays, so that line
 * numbers are right. */
static int load(lua_State *L, const archive_entry *entry, const char *chunk) {
  const char *contents = entry->contents, *end = contents + entry->length;
  if (entry->length >= 3 && memcmp(contents, "\xEF\xBB\xBF", 3) == 0) contents += 3;
  if (contents < end && *contents == '#')
    while (contents < end && *contents != '\n')
      contents++;
  return luaL_loadbufferx(L, contents, (size_t)(end - contents), chunk, "bt");
}

int bundle_load(lua_State *L, const bundle *b) {
  archive_entry entry;
  if (!archive_only(&b->contents, ARCHIVE_MAIN, &entry)) {
    lua_pushliteral(L, "the program's archive has no playbook");
    return LUA_ERRFILE;
  }
  lua_pushlstring(L, entry.name, entry.name_length);
  lua_pushfstring(L, "@%s", lua_tostring(L, -1));
  lua_remove(L, -2); /* name */
  int status = load(L, &entry, lua_tostring(L, -1));
  lua_remove(L, -2); /* chunk name */
  return status;
}

static int search(lua_State *L) {
  size_t length;
  const char *name = luaL_checklstring(L, 1, &length);
  archive_entry entry;
  if (!archive_find(&opened.contents, ARCHIVE_MODULE, name, length, &entry)) {
    lua_pushfstring(L, "no module '%s' in this program's archive", name);
    return 1;
  }
  luaL_gsub(L, name, ".", "/");
  lua_pushfstring(L, "@%s.lua", lua_tostring(L, -1));
  if (load(L, &entry, lua_tostring(L, -1)) != LUA_OK) return lua_error(L);
  lua_pushstring(L, lua_tostring(L, -2) + 1); /* second argument of the module, like a file name */
  return 2;
}

/* After embedded_install, package.searchers is: preload, the runtime, path, cpath, root of cpath,
 * other embedded modules. The archive goes before the three that search the disk. Without
 * --allow-disk, those three are removed. */
void bundle_install(lua_State *L, const bundle *b) {
  bool disk = b->flags & BUNDLE_FLAG_DISK;
  lua_getglobal(L, LUA_LOADLIBNAME);
  lua_getfield(L, -1, "searchers");
  lua_Integer count = luaL_len(L, -1), kept = 0;
  lua_createtable(L, (int)count + 1, 0);
  for (lua_Integer i = 1; i <= count; i++) {
    if (i == 3) {
      lua_pushcfunction(L, search);
      lua_rawseti(L, -2, ++kept);
    }
    if (i >= 3 && i <= 5 && !disk) continue;
    lua_rawgeti(L, -2, i);
    lua_rawseti(L, -2, ++kept);
  }
  for (lua_Integer i = 1; i <= count + 1;
       i++) { /* in place: `require` keeps a reference to the table */
    lua_rawgeti(L, -1, i);
    lua_rawseti(L, -3, i);
  }
  lua_pop(L, 2); /* new list, searchers */
  if (!disk) {
    lua_pushliteral(L, "");
    lua_setfield(L, -2, "path");
    lua_pushliteral(L, "");
    lua_setfield(L, -2, "cpath");
  }
  lua_pop(L, 1); /* package */
}
