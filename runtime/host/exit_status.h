/* How the program ends. */
#ifndef HOST_EXIT_STATUS_H
#define HOST_EXIT_STATUS_H

/* Exit statuses. If a signal ends the program, its number is added to STATUS_SIGNAL. */
enum {
  STATUS_DONE = 0,
  STATUS_FAILED = 1,
  STATUS_USAGE = 2,
  STATUS_DEVICE = 3,
  STATUS_SIGNAL = 128
};

#endif
