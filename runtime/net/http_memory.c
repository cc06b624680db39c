/* Wipes the memory of libcurl when it is freed. libcurl builds requests there, with tokens and
 * passwords in them; freed memory could be read from a core dump or a swap file. */
#include "net/http_memory.h"

#include <curl/curl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* Wipes in pieces: from 2 KiB on, memset uses `rep stos`, which is a little slower and counts as
 * thousands of instructions in profiles. */
static void wipe(char *bytes, size_t size) {
  for (; size > 1024; bytes += 1024, size -= 1024)
    explicit_bzero(bytes, 1024);
  explicit_bzero(bytes, size);
}

static void wiping_free(void *block) {
  if (!block) return;
  wipe(block, malloc_usable_size(block));
  free(block);
}

/* The realloc of the C library may move a block without wiping the old one. */
static void *wiping_realloc(void *block, size_t size) {
  if (!block) return malloc(size);
  size_t present = malloc_usable_size(block);
  if (size != 0 && size <= present && size >= present / 2) return block;
  void *moved = malloc(size);
  if (!moved) return NULL;
  memcpy(moved, block, size < present ? size : present);
  wiping_free(block);
  return moved;
}

bool http_memory_init(void) {
  return curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wiping_free, wiping_realloc, strdup,
                              calloc) == CURLE_OK;
}
