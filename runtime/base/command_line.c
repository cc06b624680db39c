#include "base/command_line.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/printable.h"

#define PAUSE 20     /* ms between two looks at the command */
#define LONG 10000   /* ms until the user is told what f5lua waits for */
#define MOST 1048576 /* bytes behind the line that are read, or the command would fail */

extern char **environ;

typedef struct reader {
  char *line;
  size_t size, length, behind;
  bool complete, too_long, binary, ended;
} reader;

static void take(reader *r, const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (r->complete) {
      r->behind += length - i;
      return;
    }
    if (bytes[i] == '\n' || bytes[i] == '\r') {
      r->complete = true;
    } else if (r->length + 1 < r->size) {
      r->binary = r->binary || bytes[i] == '\0';
      r->line[r->length++] = bytes[i];
    } else {
      r->too_long = r->complete = true;
    }
  }
}

/* Reads what is there. */
static void read_some(reader *r, int fd) {
  char bytes[512];
  ssize_t got;
  while ((got = read(fd, bytes, sizeof bytes)) > 0 && r->behind < MOST)
    take(r, bytes, (size_t)got);
  r->ended = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR) || r->behind >= MOST;
  explicit_bzero(bytes, sizeof bytes); /* it may be a password */
}

/* Returns whether the command has been started; fd: what it prints. */
static bool start(const char *command, pid_t *pid, int *fd) {
  char *const words[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)command, NULL};
  posix_spawn_file_actions_t actions;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  int reason = posix_spawn_file_actions_init(&actions);
  if (reason == 0) {
    reason = posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    if (reason == 0) reason = posix_spawn(pid, "/bin/sh", &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
  }
  close(ends[1]);
  *fd = ends[0];
  if (reason == 0) reason = fcntl(*fd, F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;
  if (reason != 0) close(*fd);
  errno = reason;
  return reason == 0;
}

/* Waits until the command ends. Returns its exit status, or 128 and its signal. */
static int wait_for(pid_t pid, int fd, const char *waiting, reader *r) {
  int how = 0, waited = 0;
  pid_t done = 0;
  while (done == 0 || (done < 0 && errno == EINTR)) {
    struct pollfd one = {.fd = fd, .events = POLLIN};
    const int pause = fd < 0 ? 2 : PAUSE, ready = poll(&one, 1, pause);
    if (ready > 0) read_some(r, fd);
    if (fd >= 0 && r->ended) {
      close(fd);
      fd = -1;
    }
    waited += ready == 0 ? pause : 0;
    if (waited >= LONG) {
      printable_print(stderr, "f5lua: %s\n", waiting);
      waited = INT_MIN;
    }
    done = waitpid(pid, &how, WNOHANG);
  }
  if (fd >= 0) {
    read_some(r, fd); /* what came before its end */
    close(fd);
  }
  const int status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
  return r->behind >= MOST && status == 128 + SIGPIPE ? 0 : status;
}

command_line_result command_line_read(const char *command, const char *waiting, char *line,
                                      size_t size, int *status) {
  reader r = {.line = line, .size = size};
  pid_t pid;
  int fd;
  line[0] = '\0';
  if (!start(command, &pid, &fd)) return COMMAND_LINE_NOT_STARTED;
  *status = wait_for(pid, fd, waiting, &r);
  line[r.length] = '\0';
  if (*status != 0) return COMMAND_LINE_FAILED;
  if (r.too_long) return COMMAND_LINE_TOO_LONG;
  if (r.binary) return COMMAND_LINE_BINARY;
  return r.length > 0 ? COMMAND_LINE_READ : COMMAND_LINE_EMPTY;
}
