/* Between http.c and http_memory.c only. */
#ifndef NET_HTTP_MEMORY_H
#define NET_HTTP_MEMORY_H

#include <stdbool.h>

/* Initialises libcurl, with memory that is wiped when it is freed. */
bool http_memory_init(void);

#endif
