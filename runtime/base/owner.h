/* From a member back to the struct that contains it: callbacks get the address of the member. */
#ifndef BASE_OWNER_H
#define BASE_OWNER_H

#include <stddef.h>

/* pointer points to the member of a `type`. The value is a pointer to the struct. */
#define OWNER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
