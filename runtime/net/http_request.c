#include "net/http_request.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void wipe(char *text, size_t length) {
  if (text && length <= HTTP_SECRET_LENGTH) explicit_bzero(text, length);
}

void http_request_clear(http_request *request) {
  wipe(request->answer, request->answer_length);
  if (request->answer_headers) wipe(request->answer_headers, strlen(request->answer_headers));
  free(request->answer);
  free(request->answer_headers);
  request->answer = request->answer_headers = NULL;
  request->answer_length = 0;
}

bool http_answer_header(const http_request *request, const char *name, char *buffer, size_t size) {
  size_t length = strlen(name);
  const char *line = request->answer_headers;
  int first = tolower((unsigned char)*name);
  for (; line && *line != '\0'; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
    if (tolower((unsigned char)*line) != first || strncasecmp(line, name, length) != 0 ||
        line[length] != ':')
      continue;
    const char *value = line + length + 1;
    value += strspn(value, " \t");
    size_t end = strcspn(value, "\r\n");
    while (end > 0 && isspace((unsigned char)value[end - 1]))
      end--;
    if (size > 0) {
      if (end >= size) end = size - 1;
      memcpy(buffer, value, end);
      buffer[end] = '\0';
    }
    return true;
  }
  return false;
}

/* libcurl 7.88 never sends the rest of a head that does not fit into the buffer if the request has
 * no body. */
long http_request_buffer(const http_request *request, size_t head_length) {
  long size = request->body_from_fd || request->body_length > 65536 ? 65536 : 16384;
  while ((size_t)size < head_length)
    size *= 2;
  return size;
}
