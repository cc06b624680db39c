/* Secrets that do not come from the script: typed on the terminal, or printed by a command. */
#ifndef F5_PROMPT_H
#define F5_PROMPT_H

#include <stdbool.h>

#include <lua.h>

#include "f5/report/secret.h"

#define SECRET_NAME "f5.secret"
#define PROMPT_LONGEST 1024

/* Whether somebody sits there who can be asked. */
bool prompt_possible(void);
/* Asks on the terminal, without echo if `hidden`; buffer holds PROMPT_LONGEST bytes. False:
 * interrupted, end of file.
 */
bool prompt_ask(lua_State *L, const char *question, bool hidden, char *buffer);
/* Lua: secret_from_command(command) -> a secret that f5.connect takes as a password: the first line
 * that the command prints. */
int prompt_lua_from_command(lua_State *L);
/* Lua: secret_from_terminal(question) -> a secret that f5.connect takes as a password, typed
 * without echo; nothing when it was not typed. */
int prompt_lua_from_terminal(lua_State *L);
/* Lua: secret_text(string or secret) -> string, for the body of a call */
int prompt_lua_text(lua_State *L);
/* The secret userdata at index, or NULL. */
const secret *prompt_to_secret(lua_State *L, int index);
void prompt_setup(lua_State *L);

#endif
