/* An event (a fiber ends, a session closes) and its listeners.
 *
 * A zero-initialised event has no listeners. Listeners are notified once, in the order in which
 * they were added, and are removed first. Does not use Lua. */
#ifndef FIBER_FIBER_EVENT_H
#define FIBER_FIBER_EVENT_H

#include <stdbool.h>

/* A node of the ring of an event: the event or a listener. next is NULL outside of a ring. */
typedef struct fiber_ring {
  struct fiber_ring *next, *prev;
} fiber_ring;

typedef struct fiber_listener fiber_listener;

/* Initialise it with zeros, then set `notify`. */
struct fiber_listener {
  fiber_ring place;                         /* private; the first member */
  void (*notify)(fiber_listener *listener); /* never calls Lua; may free the listener */
};

typedef struct fiber_event {
  fiber_ring ring;  /* private */
  unsigned signals; /* number of signals so far */
  bool by_fibers;   /* only other fibers can signal it, never the network alone */
} fiber_event;

/* Adds a listener that is not in a ring. The event must exist as long as it has listeners. */
void fiber_event_listen(fiber_event *event, fiber_listener *listener);
/* Removes a listener. Does nothing if it is not in a ring. */
void fiber_event_leave(fiber_listener *listener);
/* Notifies all listeners. A listener may remove others meanwhile. */
void fiber_event_signal(fiber_event *event);
bool fiber_event_has_listeners(const fiber_event *event);

#endif
