/* Secrets from outside of the script: entered on the terminal, or printed by a command. */
#ifndef F5_PROMPT_H
#define F5_PROMPT_H

#include <stdbool.h>

#include <lua.h>

#include "f5/report/secret.h"

#define SECRET_NAME "f5.secret"
#define PROMPT_MAX 1024

/* Returns whether a user can be asked on a terminal. */
bool prompt_possible(void);
/* Asks on the terminal, without echo if `hidden`; buffer holds PROMPT_MAX bytes. False: interrupted
 * or end of file.
 */
bool prompt_ask(lua_State *L, const char *question, bool hidden, char *buffer);
/* Lua: secret_from_command(command) -> the first line that the command prints, as a secret that
 * f5.connect accepts as a password. */
int prompt_lua_from_command(lua_State *L);
/* Lua: secret_from_terminal(question) -> a secret entered without echo, which f5.connect accepts as
 * a password; nothing if the user entered nothing. */
int prompt_lua_from_terminal(lua_State *L);
/* Lua: secret_text(string or secret) -> string, for the body of a call */
int prompt_lua_text(lua_State *L);
/* Pushes a secret userdata, and returns its secret. */
secret *prompt_push_secret(lua_State *L, const char *value, size_t length);
/* The secret userdata at index, or NULL. */
const secret *prompt_to_secret(lua_State *L, int index);
void prompt_setup(lua_State *L);

#endif
