---@meta f5.apm
-- Access Policy Manager.

---@class f5.apm
---Access Policy Manager: `local apm = f5.apm(bip)`.
---@overload fun(session: f5.session): f5.apm
local apm = {}

---Lists the access sessions: all, or those of one user, client or id.
---
---*Raises* call errors; "usage": an option is invalid, or more than one is given.
---
---*Source* REST API User Guide 14.1, "Managing user sessions in APM"
---@param options? f5.apm.sessions.options which sessions
---@return f5.apm.session[] sessions array; empty if there are none
function apm:sessions(options) end

---@class f5.apm.sessions.options
---Options of `apm:sessions`. Give at most one.
---@field user? string name of the user
---@field client? string IP address of the client
---@field id? string id of the session

---@class f5.apm.session
---An access session.
---@field id string id, hexadecimal
---@field user string name of the user
---@field client string IP address of the client

---Ends a session. The user must log in again.
---
---*Raises* call errors; "not_found": there is no such session; "usage": the argument is invalid.
---
---*Source* REST API User Guide 14.1, "Managing user sessions in APM"
---@param one string|f5.apm.session id of the session, or one of `sessions()`
function apm:end_session(one) end

---Ends all sessions of a user or a client. A session that is already gone is not an error.
---
---*Raises* call errors; "usage": neither a user nor a client is given.
---
---*Source* REST API User Guide 14.1, "Managing user sessions in APM"
---@param options f5.apm.end_sessions.options whose sessions
---@return f5.apm.session[] ended array of the sessions that were ended
function apm:end_sessions(options) end

---@class f5.apm.end_sessions.options
---Options of `apm:end_sessions`. Give one of them.
---@field user? string name of the user
---@field client? string IP address of the client

---Lists the OAuth tokens.
---
---*Raises* call errors; "usage": `app` is not a string, or contains a quotation mark.
---
---*Source* REST API User Guide 14.1, "Listing OAuth tokens"
---@param app? string name of the application; default: all
---@return table[] tokens array of tokens as the device returns them
function apm:tokens(app) end

---Counts the valid OAuth tokens.
---
---*Raises* call errors; "usage": `app` is not a string, or contains a quotation mark.
---
---*Source* REST API User Guide 14.1, "Getting a count of OAuth tokens"
---@param app? string name of the application; default: all
---@return integer count number of tokens
function apm:token_count(app) end

---Revokes an OAuth token.
---
---*Raises* call errors; "usage": the argument is not a token.
---
---*Source* REST API User Guide 14.1, "Revoking an OAuth token"
---@param token table one of `tokens()`: oauthId, clientId, dbInstance
function apm:revoke(token) end

return apm
