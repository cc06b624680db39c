/* An event that happens to something (a fiber ends, a session closes), and those who listen to it.
 *
 * Zero-initialised is an event without listeners. A listener is told once, in the order in which
 * they came, and listens no more then. Nothing here knows Lua. */
#ifndef FIBER_FIBER_EVENT_H
#define FIBER_FIBER_EVENT_H

#include <stdbool.h>

/* A place in the ring of an event: the event itself, or a listener. NULL: in no ring. */
typedef struct fiber_ring {
  struct fiber_ring *next, *prev;
} fiber_ring;

typedef struct fiber_listener fiber_listener;

/* Zero-initialised by its owner, then `notify` set. */
struct fiber_listener {
  fiber_ring place;                         /* private, first */
  void (*notify)(fiber_listener *listener); /* never calls Lua; may free the listener */
};

typedef struct fiber_event {
  fiber_ring ring;  /* private */
  unsigned signals; /* how often it was signalled */
  bool by_fibers;   /* only other fibers can make it happen: the network alone never does */
} fiber_event;

/* Adds a listener that listens to nothing yet. The event must stay in memory while it listens. */
void fiber_event_listen(fiber_event *event, fiber_listener *listener);
/* Takes it away; nothing if it does not listen. */
void fiber_event_leave(fiber_listener *listener);
/* It happened: tells all listeners. They may leave meanwhile. */
void fiber_event_signal(fiber_event *event);
bool fiber_event_has_listeners(const fiber_event *event);

#endif
