---@meta f5.reference
-- References: paths on a device.

---@class f5.reference
---A path on a device. A reference holds no state and causes no traffic; only its methods call the
---device. An index that starts with `/` is a full name, any other index is a path segment. Use `at`
---for a segment that has the name of a method. Through `tx(reference)` writes are queued: they
---return the queued command and raise "transaction" if the device has dropped the transaction.
---Properties that JSON cannot express raise a Lua error.
---@field [string] f5.reference the path below this one
local reference = {}

---Reads the object, or the collection as the device returns it.
---
---*Raises* call errors; "not_found": it does not exist; "usage": an option is invalid.
---
---*Source* REST API User Guide 14.1, "GET Requests"
---@param options? f5.query what to read
---@return table body the properties of the object, or the body of the collection
function reference:load(options) end

---Reads all objects of a collection into an array, page by page if `page` is given.
---
---*Raises* call errors; "usage": the path is not a collection, or an option is invalid.
---
---*Source* REST API User Guide 14.1, "Paging through large collections"
---@param options? f5.query what to read
---@return table[] objects array of objects; empty if there are none
function reference:list(options) end

---Iterates over a collection. Only one page is in memory.
---
---    for node in bip.ltm.node:each { select = { "name", "address" } } do print(node.name) end
---
---If the loop deletes objects, pages shift and objects are skipped: then iterate over a `list`.
---
---*Raises* call errors, also inside the loop; "usage": the path is not a collection, or an option
---is invalid.
---
---*Source* REST API User Guide 14.1, "Paging through large collections"
---@param options? f5.query what to read; `page` is 500 unless given
---@return fun(): table iterator one object each time
function reference:each(options) end

---Creates an object and returns it with its defaults. On a collection, `name` is in the properties.
---A reference with a name creates that object: `bip.ltm.pool["/Common/web"]:create {}`,
---`bip.auth.user.bob:create {}`. If the path does not show whether it is a collection, one call
---more asks the device. The properties can be those of another object that was read.
---
---*Raises* call errors; "conflict": the object exists; "invalid": the device rejects the
---properties; "usage": the properties contradict the path.
---
---*Source* REST API User Guide 14.1, "Creating a new resource with iControl"
---@param properties? table properties of the new object: name = value
---@return table object all properties of the new object
function reference:create(properties) end

---Changes the named properties and returns the object. If they come from `load`, what a device does
---not take back is left out: links, times, and what monitoring found (`state = "checking"`).
---The message about a misspelt property names the one that was probably meant.
---
---*Raises* call errors; "not_found": the object does not exist; "invalid": the device rejects the
---properties; "usage": an argument is invalid.
---
---*Source* REST API User Guide 14.1, "Modifying a resource with PATCH"
---@param properties table properties to change: name = value
---@param options? f5.query parameters of the request
---@return table object all properties of the object
function reference:modify(properties, options) end

---Sets the named properties, resets all others to their defaults, and returns the object.
---
---*Raises* call errors; "not_found": the object does not exist; "invalid": the device rejects the
---properties; "usage": an argument is invalid.
---
---*Source* REST API User Guide 14.1, "About JSON format for POST and PUT"
---@param properties table all properties that should not be at their default: name = value
---@param options? f5.query parameters of the request
---@return table object all properties of the object
function reference:replace(properties, options) end

---Deletes the object. On a collection it deletes only what `options` or, in ASM, `filter` selects.
---
---*Raises* call errors; "not_found": the object does not exist; "invalid": another object uses it;
---"usage": an option is invalid.
---
---*Source* REST API User Guide 14.1, "About HTTP method semantics"
---@param options? f5.query parameters of the request
---@return any answer the answer of the device; usually nil
function reference:delete(options) end

---Returns whether the object exists. Any failure other than "not_found" is raised.
---
---*Raises* call errors, except "not_found".
---
---*Source* REST API User Guide 14.1, "About HTTP response codes"
---@return boolean exists true if the device has it
function reference:exists() end

---Creates the object if it does not exist; otherwise changes the properties that differ. It sends
---no change if nothing differs. Of a list of objects (members, rules, records) only the elements
---that differ are created, changed or deleted; what an element does not name keeps its state.
---
---*Raises* call errors; "invalid": the device rejects the properties; "usage": the path is a
---collection, `properties` is not a table, or a list names an element twice.
---
---*Source* docs/guide.md, "ensure: declare the wanted state"
---@param properties table wanted properties: name = value; arrays are compared as a whole
---@return "created"|"changed"|"unchanged" what what it did; "unchanged": nothing was sent
---@return table object all properties of the object; in a transaction the queued command(s)
function reference:ensure(properties) end

---Deletes the object if it exists. It sends no deletion if the object does not exist.
---
---*Raises* call errors; "invalid": the object is in use; "usage": the path is a collection.
---
---*Source* docs/guide.md, "ensure: declare the wanted state"
---@return "deleted"|"unchanged" what what it did; "unchanged": nothing was sent
function reference:absent() end

---Adds elements to a list. The reference is that of the list: a sub-collection such as
---`pool.members`, or a property such as `virtual.rules` or `group.records`. An element that is
---there already is changed where it differs. New elements of a property go to its end.
---
---    pool.members:add "10.0.0.3:80"
---    group.records:add { name = "a", data = "1" }
---
---A device accepts a property only as a whole: f5lua reads it, changes it and sends it. In a
---transaction give all elements in one call.
---
---*Raises* call errors; "not_found": the object does not exist; "invalid": the device rejects the
---element; "usage": the argument is not an element or a list of elements.
---
---*Source* docs/guide.md, "ensure: declare the wanted state"
---@param elements string|table|(string|table)[] a name, a table with a name, or an array of these
---@return "changed"|"unchanged" what what it did; "unchanged": nothing was sent
function reference:add(elements) end

---Removes elements from a list, as `add` adds them. Elements that are not there are left out.
---
---    virtual.rules:remove "/Common/old"
---
---*Raises* call errors; "not_found": the object does not exist; "invalid": the device rejects the
---list; "usage": the argument is not an element or a list of elements.
---
---*Source* docs/guide.md, "ensure: declare the wanted state"
---@param elements string|table|(string|table)[] a name, a table with a name, or an array of these
---@return "changed"|"unchanged" what what it did; "unchanged": nothing was sent
function reference:remove(elements) end

---Gives a list these elements and no others, as `add` adds them. An element that stays keeps what
---it does not name. An empty table removes all.
---
---    bip.sys.ntp.servers:set { "10.0.0.1", "10.0.0.2" }
---
---*Raises* call errors; "not_found": the object does not exist; "invalid": the device rejects an
---element; "usage": the argument is not an element or a list of elements.
---
---*Source* docs/guide.md, "ensure: declare the wanted state"
---@param elements string|table|(string|table)[] a name, a table with a name, or an array of these
---@return "changed"|"unchanged" what what it did; "unchanged": nothing was sent
function reference:set(elements) end

---Runs a tmsh command on the path.
---
---    bip.sys.config:run("save")
---
---*Raises* call errors; "invalid": the command fails; "usage": an argument is invalid.
---
---*Source* REST API User Guide 14.1, "Commands"
---@param command string name of the command: "save", "load", "run", "install" …
---@param arguments? table arguments of the command: name = value
---@param options? f5.run.options what the command does
---@return table answer the answer of the device
function reference:run(command, arguments, options) end

---@class f5.run.options
---Options of `reference:run`.
---@field changes? boolean false: the command changes nothing, so it is not counted; default true

---Reads statistics as plain values.
---
---    print(bip.ltm.pool["/Common/web"]:stats()["serverside.curConns"])
---
---*Raises* call errors; "not_found": the object has no statistics; "usage": an option is invalid.
---
---*Source* REST API User Guide 14.1, "Use iControl REST to obtain statistical output"
---@param options? f5.query parameters of the request
---@return table values name = value; for a collection an array of such tables, each with a `name`
function reference:stats(options) end

---Reads the example that the device has for this kind of resource.
---
---*Raises* call errors; "not_found": there is no example; "usage": an option is invalid.
---
---*Source* REST API User Guide 14.1, "About the example suffix"
---@param options? f5.query parameters of the request
---@return table example the properties with descriptions or defaults
function reference:example(options) end

---Returns a reference below this one, as indexing does. It also reaches segments that have the name
---of a method.
---
---*Raises* "usage": a part is empty, a whole path or not a string, or the session is closed.
---
---*Source* REST API User Guide 14.1, "Overview: URI format and structure"
---@param path string a segment, several segments with "/", or a full name that starts with "/"
---@param ... string|integer further parts: names as in an index, or ids
---@return f5.reference reference the path below this one
function reference:at(path, ...) end

---ASM only: changes all entities of a collection that a filter selects, in one request.
---
---    policy.urls:modify_all { filter = { type = "explicit" }, set = { performStaging = false } }
---
---*Raises* call errors; "invalid": the device rejects the properties; "usage": an option is
---invalid, or the path is not in ASM.
---
---*Source* REST API User Guide 14.1, "Updating Application Security Manager resources"
---@param options f5.modify_all.options what to change
---@return table[] entities array of the changed entities
function reference:modify_all(options) end

---@class f5.modify_all.options
---Options of `reference:modify_all`. Give either `filter` or `all`.
---@field filter? string|table|f5.filter.value the entities to change: text or conditions
---@field all? true change every entity
---@field set table new properties: name = value

---ASM only: deletes all entities of a collection that a filter selects, in one request.
---
---*Raises* call errors; "usage": an option is invalid, or the path is not in ASM.
---
---*Source* REST API User Guide 14.1, "Deleting resources in Application Security Manager"
---@param options f5.delete_all.options what to delete
---@return table[] entities array of the deleted entities
function reference:delete_all(options) end

---@class f5.delete_all.options
---Options of `reference:delete_all`. Give either `filter` or `all`.
---@field filter? string|table|f5.filter.value the entities to delete: text or conditions
---@field all? true delete every entity

---@class f5.query
---Options of calls: the query parameters of the URI.
---@field select? string|string[] names of the properties to return
---@field filter? string|table|f5.filter.value text of a filter, or conditions: { partition = "X" }
---@field top? integer maximum number of objects, 0 or more
---@field skip? integer number of objects to leave out at the start
---@field page? integer objects for each request; only `list` and `each`
---@field expand? boolean|string|string[] true: with sub-collections; names: OData's $expand in ASM
---@field options? string options of the tmsh command, as in tmsh
---@field orderby? string|string[] ASM: properties to sort by, such as "score desc"
---@field inlinecount? string ASM: OData's $inlinecount, such as "allpages"
---@field ver? string version of the API, such as "16.1.0"
---@field query? table further parameters: name = string, number or boolean
