/* Writes that an interruption (Ctrl-C) cut off: nobody knows whether the device carried them out.
 * The program names them when it ends. */
#ifndef F5_CUT_OFF_H
#define F5_CUT_OFF_H

#include <lua.h>

#include "base/text.h"
#include "f5/session/call.h"

/* Names a write that was sent, while its call still runs: "PATCH /mgmt/… (DEVICE)". Empty for
 * commands that were only queued in a transaction, which are no changes, and for the calls that
 * manage one: transactions speak for themselves. */
void cut_off_name(text *name, const f5_call *call);
/* Remembers a name that is not empty, if a signal ends the program. */
void cut_off_note(lua_State *L, const text *name);

#endif
