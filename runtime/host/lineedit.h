/* Line editing on the terminal with libedit, while fibers run. Only one editor of the process can
 * run at a time.
 *
 * `require "f5.lineedit"`:
 *   new() -> editor                      or nil, message if there is no terminal
 *
 * An editor:
 *   editor:start(prompt)                 takes the terminal; \1 stands before and after parts of
 *                                        the prompt without width
 *   editor:next() -> event, …            waits like every blocking call; the events:
 *     "line", text                       Enter; may contain line breaks, from a paste
 *     "complete", text, cursor           Tab; cursor: number of bytes of text before it
 *     "interrupt"                        Ctrl-C
 *     "eof"                              Ctrl-D on an empty line, or the terminal is gone
 *     "posted"                           editor:post() was called
 *   editor:stop()                        restores the terminal
 *   editor:insert(text)                  inserts at the cursor
 *   editor:erase(count)                  deletes that many characters before the cursor
 *   editor:text() -> text, cursor
 *   editor:prompt(prompt)                changes the prompt and draws it
 *   editor:hide()                        hides the line before others write to the terminal; it
 *                                        reappears a moment later
 *   editor:remember(text)                adds to the history of this run
 *   editor:post()                        makes `next` return "posted"
 */
#ifndef HOST_LINEEDIT_H
#define HOST_LINEEDIT_H

#include <lua.h>

int luaopen_f5_lineedit(lua_State *L);

/* Like editor:hide() for the running editor, if there is one. For C code that is about to write. */
void lineedit_hide(void);

#endif
