/* The first line that a command of /bin/sh prints. */
#ifndef BASE_COMMAND_LINE_H
#define BASE_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum command_line_result {
  COMMAND_LINE_READ,
  COMMAND_LINE_EMPTY,
  COMMAND_LINE_TOO_LONG,
  COMMAND_LINE_BINARY,      /* it has a NUL */
  COMMAND_LINE_FAILED,      /* status: of the command */
  COMMAND_LINE_NOT_STARTED, /* errno */
} command_line_result;

/* Runs the command and waits until it ends; what it prints behind the first line is dropped. A
 * process that it leaves behind is not waited for. If that takes long, it prints `waiting` to
 * standard error. The line has no line break, and a NUL at its end. */
command_line_result command_line_read(const char *command, const char *waiting, char *line,
                                      size_t size, int *status);

#endif
