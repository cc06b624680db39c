#include "fiber/fiber_event.h"

#include <stddef.h>

void fiber_event_listen(fiber_event *event, fiber_listener *listener) {
  listener->event = event;
  listener->next = NULL;
  listener->prev = event->last;
  if (event->last)
    event->last->next = listener;
  else
    event->first = listener;
  event->last = listener;
}

void fiber_event_leave(fiber_listener *listener) {
  fiber_event *event = listener->event;
  if (!event) return;
  if (listener->prev)
    listener->prev->next = listener->next;
  else
    event->first = listener->next;
  if (listener->next)
    listener->next->prev = listener->prev;
  else
    event->last = listener->prev;
  listener->event = NULL;
}

void fiber_event_signal(fiber_event *event) {
  event->signals++;
  for (fiber_listener *listener; (listener = event->first);) {
    fiber_event_leave(listener);
    listener->notify(listener);
  }
}
