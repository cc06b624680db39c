#include "f5/report/base64.h"

#include <limits.h>
#include <string.h>

#include <openssl/evp.h>

void base64_put(text *out, const void *bytes, size_t length) {
  char *room = text_room(out, (length + 2) / 3 * 4 + 1);
  if (!room) return;
  EVP_EncodeBlock((unsigned char *)room, bytes, (int)length);
  out->length--; /* the NUL that EVP_EncodeBlock adds */
}

bool base64_read(text *out, const char *from, size_t length) {
  if (length == 0 || length % 4 != 0 || length > INT_MAX / 2) return false;
  size_t before = out->length;
  char *room = text_room(out, length);
  int size =
      room ? EVP_DecodeBlock((unsigned char *)room, (const unsigned char *)from, (int)length) : -1;
  if (size < 0) return false;
  size -= (from[length - 1] == '=') + (from[length - 2] == '=');
  text again = {0};
  base64_put(&again, room, (size_t)size);
  bool same = again.length == length && memcmp(again.data, from, length) == 0;
  if (again.failed) out->failed = true;
  text_free(&again);
  out->length = before + (size_t)size;
  return same;
}
