/* The struct that another one is embedded in: what a callback is given the address of. */
#ifndef BASE_OWNER_H
#define BASE_OWNER_H

#include <stddef.h>

/* pointer: to the member of the type; its value is a pointer to the whole. */
#define OWNER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
