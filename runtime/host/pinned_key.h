/* The public key of the only programs that this runtime accepts; empty (one byte that is not looked at) in the usual runtime. CMake's
 * F5LUA_PUBLIC_KEY, the path of a PEM file, becomes F5LUA_PINNED_KEY, 32 numbers. */
#ifndef HOST_PINNED_KEY_H
#define HOST_PINNED_KEY_H

#ifdef F5LUA_PINNED_KEY
static const unsigned char pinned_key[32] = {F5LUA_PINNED_KEY};
#else
static const unsigned char pinned_key[1] = {0};
#endif

#endif
