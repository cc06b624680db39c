/* A playbook packed into this program: where it is, whether it is intact, and how Lua reads it.
 *
 * `f5lua build` appends an archive to a copy of the runtime and patches the fuse, a structure in
 * .data that points to the archive. A plain runtime has an empty fuse and never opens its own
 * file. A runtime whose fuse is set but whose archive is missing or damaged prints an error and
 * exits: it must not become an interpreter for whatever its arguments name.
 *
 *   const bundle *b;
 *   int status = bundle_open(&b);
 *   if (status != 0) return status;
 *   if (b) …                          // a packed program: all arguments belong to the playbook
 *
 * host/archive.h describes the archive. If there is a signature, it follows the archive: 64 bytes,
 * Ed25519 over bundle_signed_text of everything before it. */
#ifndef HOST_BUNDLE_H
#define HOST_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "host/archive.h"

/* Exit status of a program that is damaged or may not run (EX_SOFTWARE of sysexits.h). */
enum { BUNDLE_BROKEN = 70 };

enum { BUNDLE_SIGNATURE = 64 };

enum {
  BUNDLE_FLAG_SIGNED = 1,
  BUNDLE_FLAG_DISK = 2
}; /* fuse.flags; DISK: `require` also searches the disk */

typedef struct bundle bundle;

/* Opens the archive of this program. In a plain runtime *b is NULL. Returns 0; or prints a message
 * and returns the exit status. The bundle lives until the process ends (there is one, mapped
 * read-only). */
int bundle_open(const bundle **b);

/* The result of bundle_open. NULL in a plain runtime. */
const bundle *bundle_current(void);

/* Whether this runtime accepts only programs signed with the key compiled in (CMake's
 * F5LUA_PUBLIC_KEY). Then it must not run playbooks either. */
bool bundle_pinned(void);

/* The contents. They stay in memory until the process ends. */
const archive *bundle_archive(const bundle *b);

/* Makes `require` search the archive first, and not the disk (unless the program was built with
 * --allow-disk). Makes the archive available to f5.asset. */
void bundle_install(lua_State *L, const bundle *b);

/* Pushes the playbook as a function. On failure pushes an error message and returns an error status
 * of Lua. */
int bundle_load(lua_State *L, const bundle *b);

/* The module "f5.bundle": the C parts of f5.asset and of `f5lua build`, `inspect` and `verify` (see
 * packer.c). */
int luaopen_f5_bundle(lua_State *L);

/* CRC-32 of the bytes, as in zlib and PNG. `crc` is the result for the bytes before, at first 0. */
uint32_t bundle_crc(uint32_t crc, const void *bytes, size_t length);

/* Whether the signature is valid for these bytes: a program up to its signature. */
bool bundle_signature_holds(const unsigned char public_key[32], const void *program, size_t length,
                            const unsigned char signature[BUNDLE_SIGNATURE]);

/* The signed text: a line with its purpose, then the SHA-256 of the program in hexadecimal. */
enum { BUNDLE_SIGNED_TEXT = 96 };
size_t bundle_signed_text(const void *program, size_t length, char text[BUNDLE_SIGNED_TEXT]);

#endif
