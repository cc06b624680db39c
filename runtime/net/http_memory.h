/* How http.c initialises libcurl. */
#ifndef NET_HTTP_MEMORY_H
#define NET_HTTP_MEMORY_H

#include <stdbool.h>

/* Initialises libcurl with functions that wipe memory when it is freed. */
bool http_memory_init(void);

#endif
