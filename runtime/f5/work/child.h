/* A program that runs beside this one and is fed through a pipe: it ends when the pipe does, so it
 * never outlives its parent. module.c adds the functions to f5.core. */
#ifndef F5_CHILD_H
#define F5_CHILD_H

#include <lua.h>

/* Adds to the table on top of the stack:
 *
 *   child({ program, arguments… }, name|nil) -> child. Raises if it cannot be started. It has a
 *                      process group of its own: Ctrl-C does not reach it. name: what the program
 *                      sees as its own name.
 *   child:write(text)  to its standard input; raises if it is gone
 *   child:read()       the next bytes of its standard output; nil at the end. Suspends the fiber.
 *   child:close()      ends its input and waits until it has ended; returns its exit status, or nil
 *                      and the signal. After a few seconds it is killed. Also __close and __gc.
 *   read_input()       the next bytes of this program's own standard input; nil at its end.
 * Suspends the fiber.
 */
void f5_child_register(lua_State *L);

#endif
