#include "fiber/fiber_event.h"

#include <stddef.h>

void fiber_event_listen(fiber_event *event, fiber_listener *listener) {
  fiber_ring *ring = &event->ring, *place = &listener->place;
  if (!ring->next) ring->next = ring->prev = ring;
  place->next = ring;
  place->prev = ring->prev;
  ring->prev->next = place;
  ring->prev = place;
}

void fiber_event_leave(fiber_listener *listener) {
  fiber_ring *place = &listener->place;
  if (!place->next) return;
  place->prev->next = place->next;
  place->next->prev = place->prev;
  place->next = place->prev = NULL;
}

bool fiber_event_has_listeners(const fiber_event *event) {
  return event->ring.next && event->ring.next != &event->ring;
}

void fiber_event_signal(fiber_event *event) {
  event->signals++;
  while (fiber_event_has_listeners(event)) {
    fiber_listener *listener = (fiber_listener *)event->ring.next;
    fiber_event_leave(listener);
    listener->notify(listener);
  }
}
