/* The public key of the only programs that this runtime accepts: F5LUA_PINNED_KEY, 32 numbers. It
 * comes from CMake's F5LUA_PUBLIC_KEY, the path of a PEM file. An ordinary runtime has none. */
#ifndef HOST_PINNED_KEY_H
#define HOST_PINNED_KEY_H

#include <stdbool.h>

#ifdef F5LUA_PINNED_KEY
static const bool has_pinned_key = true;
static const unsigned char pinned_key[32] = {F5LUA_PINNED_KEY};
#else
static const bool has_pinned_key = false;
static const unsigned char pinned_key[32];
#endif

#endif
