/* An event that happens to something (a fiber ends, a session closes), and those who listen to it.
 *
 * Zero-initialised is an event without listeners. A listener is told once, in the order in which
 * they came, and listens no more then. Nothing here knows Lua. */
#ifndef FIBER_FIBER_EVENT_H
#define FIBER_FIBER_EVENT_H

#include <stdbool.h>

typedef struct fiber_event fiber_event;
typedef struct fiber_listener fiber_listener;

/* Zero-initialised by its owner, then `notify` set. */
struct fiber_listener {
  void (*notify)(fiber_listener *listener); /* never calls Lua; may free the listener */
  fiber_event *event;                       /* private: NULL when it does not listen */
  fiber_listener *prev, *next;              /* private */
};

struct fiber_event {
  fiber_listener *first, *last; /* private */
  unsigned signals;             /* how often it was signalled */
  bool by_fibers; /* only other fibers can make it happen: the network alone never does */
};

/* Adds a listener that listens to nothing yet. The event must stay in memory while it listens. */
void fiber_event_listen(fiber_event *event, fiber_listener *listener);
/* Takes it away; nothing if it does not listen. */
void fiber_event_leave(fiber_listener *listener);
/* It happened: tells all listeners. They may leave meanwhile. */
void fiber_event_signal(fiber_event *event);

#endif
