/* Line editing on the terminal, over libedit, beside running fibers. One editor a process is at
 * work at a time.
 *
 * `require "f5.lineedit"`:
 *   new() -> editor                      nil, message where there is no terminal
 *
 * An editor:
 *   editor:start(prompt)                 the terminal is the editor's; \1 before and behind what
 * has no width in it editor:next() -> event, …            waits as every blocking call does; others
 * run meanwhile: "line", text                         Enter; may hold line breaks (pasted, or from
 * the history) "complete", text, cursor             Tab; cursor: bytes of text before it
 *     "interrupt"                          Ctrl-C
 *     "eof"                                Ctrl-D on an empty line, or the terminal is gone
 *     "posted"                             somebody called editor:post()
 *   editor:stop()                        the terminal is as it was
 *   editor:insert(text)                  at the cursor
 *   editor:erase(count)                  so many characters before the cursor
 *   editor:text() -> text, cursor
 *   editor:prompt(prompt)                another one from now on, drawn at once
 *   editor:hide()                        before something is written to the terminal by others:
 * takes the line away; it comes back by itself a moment later editor:remember(text) into the
 * history of this run editor:post()                        `next` returns "posted"
 */
#ifndef HOST_LINEEDIT_H
#define HOST_LINEEDIT_H

#include <lua.h>

int luaopen_f5_lineedit(lua_State *L);

/* The same as editor:hide() for the editor that is at work, if one is: for C code that is about to
 * write. */
void lineedit_hide(void);

#endif
