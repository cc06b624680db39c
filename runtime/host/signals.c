#include "host/signals.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "f5/module.h"
#include "fiber/fiber.h"
#include "host/exit_status.h"

static lua_State *volatile interrupted_state;
static volatile sig_atomic_t received;
static volatile sig_atomic_t caught;
static bool expected, catches;

static void end_run(int signal) {
  if (catches && !caught) {
    caught = signal;
    return;
  }
  if (signal == SIGINT && !received && interrupted_state &&
      fiber_interrupt_foreground(interrupted_state))
    return;
  if (received) {
    f5_report_abandoned();
    _exit(STATUS_SIGNAL + signal);
  }
  received = signal;
  if (interrupted_state) fiber_interrupt(interrupted_state);
}

/* Sockets also raise SIGPIPE (ours, those of the simulated device and of C modules). Only standard
 * output matters here. */
static void broken_pipe(int signal) {
  struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
  if (!received && poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP)))
    end_run(signal);
}

static void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, NULL);
}

/* Signals that would end the process without a word, in addition to those of signals_install. */
static const struct {
  int number;
  const char *name;
} others[] = {
    {SIGHUP, "SIGHUP"},       {SIGQUIT, "SIGQUIT"}, {SIGUSR1, "SIGUSR1"},
    {SIGUSR2, "SIGUSR2"},     {SIGALRM, "SIGALRM"}, {SIGPROF, "SIGPROF"},
    {SIGVTALRM, "SIGVTALRM"}, {SIGPOLL, "SIGPOLL"}, {SIGXCPU, "SIGXCPU"},
#ifdef SIGPWR
    {SIGPWR, "SIGPWR"},
#endif
#ifdef SIGSTKFLT
    {SIGSTKFLT, "SIGSTKFLT"},
#endif
};

static void nothing(int signal) {
  (void)signal;
}

/* A signal that is ignored at the start stays ignored, such as SIGHUP with nohup. */
static void handle_unless_ignored(int signal, void (*handler)(int)) {
  struct sigaction present;
  if (sigaction(signal, NULL, &present) == 0 && present.sa_handler != SIG_IGN)
    handle(signal, handler, signal == SIGXFSZ ? SA_RESTART : 0);
}

const char *signals_name(int signal) {
  if (signal == SIGQUIT) return "SIGQUIT";
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (others[i].number == signal) return others[i].name;
  return "a signal";
}

void signals_install(lua_State *L) {
  interrupted_state = L;
  handle(SIGINT, end_run, 0);
  handle(SIGTERM, end_run, 0);
  handle(SIGQUIT, end_run, 0); /* a shell ignores it for programs in the background */
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    handle_unless_ignored(others[i].number, end_run);
  /* Then a write to a file that would be too large fails, and is reported with the file's name. A
   * handler, because programs that a playbook starts would inherit SIG_IGN. */
  handle_unless_ignored(SIGXFSZ, nothing);
  handle(SIGPIPE, broken_pipe, SA_RESTART);
}

void signals_remove(void) {
  interrupted_state = NULL;
}

void signals_expect(void) {
  expected = true;
}

void signals_catch(void) {
  catches = true;
}

int signals_caught(void) {
  return caught;
}

bool signals_expected(void) {
  return expected;
}

int signals_received(void) {
  return received;
}
