/* A playbook packed into this program: where it is, whether it is whole, and how Lua gets at it.
 *
 * `f5lua build` appends an archive to a copy of the runtime and patches the fuse, a structure in
 * .data that says where the archive is. A plain runtime finds its fuse empty and never opens its
 * own file. A runtime whose fuse is set but whose archive is missing or damaged says so and leaves:
 * it must not become an interpreter that runs whatever its arguments name.
 *
 *   bundle *b;
 *   int status = bundle_open(&b);
 *   if (status != 0) return status;
 *   if (b) …                          // a program of its own: all arguments are the playbook's
 *
 * What the archive is made of: host/archive.h.
 *
 * A signature, if there is one, follows the archive: 64 bytes Ed25519 over bundle_signed_text of
 * everything before it.
 */
#ifndef HOST_BUNDLE_H
#define HOST_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "host/archive.h"

/* Exit status of a program that is damaged or not allowed to run (EX_SOFTWARE of sysexits.h). */
enum { BUNDLE_BROKEN = 70 };

enum { BUNDLE_SIGNATURE = 64 };

enum {
  BUNDLE_FLAG_SIGNED = 1,
  BUNDLE_FLAG_DISK = 2
}; /* fuse.flags; DISK: require may look on disk too */

typedef struct bundle bundle;

/* Opens the archive of this program. *b is NULL in a plain runtime. Returns 0, or, after a message
 * on stderr, the status to exit with. Lives until the process ends (there is one a process, mapped
 * read-only). */
int bundle_open(const bundle **b);

/* What bundle_open found; NULL in a plain runtime. */
const bundle *bundle_current(void);

/* Whether this runtime accepts only programs signed with a key compiled in (CMake's
 * F5LUA_PUBLIC_KEY). A plain one of these must not run playbooks. */
bool bundle_pinned(void);

/* What is packed in it; the bytes stay as long as the process lives. */
const archive *bundle_archive(const bundle *b);

/* Puts the archive before every other place that `require` searches, takes away what lies on disk
 * (unless the program was built with --allow-disk), and makes the archive known to f5.asset. */
void bundle_install(lua_State *L, const bundle *b);

/* Pushes the playbook as a function; or an error message, and returns an error status of Lua. */
int bundle_load(lua_State *L, const bundle *b);

/* The module "f5.bundle": what f5.asset, and `f5lua build`, `inspect` and `verify` need of C (see
 * packer.c). */
int luaopen_f5_bundle(lua_State *L);

/* CRC-32 (of zlib and PNG) of the bytes, going on from `crc` (0 at first). */
uint32_t bundle_crc(uint32_t crc, const void *bytes, size_t length);

/* Whether the signature stands for these bytes: a program up to its signature. */
bool bundle_signature_holds(const unsigned char public_key[32], const void *program, size_t length,
                            const unsigned char signature[BUNDLE_SIGNATURE]);

/* The text that is signed: a line that says what it is, then the SHA-256 of the program in
 * hexadecimal. */
enum { BUNDLE_SIGNED_TEXT = 96 };
size_t bundle_signed_text(const void *program, size_t length, char text[BUNDLE_SIGNED_TEXT]);

#endif
