---@meta f5.filter
-- OData filters.

---@class f5.filter.value
---A filter. `tostring` returns its text.

---@class f5.filter
---OData filters from Lua tables: `f5.filter { … }` returns a filter. Conditions on several
---properties are joined with `and`. A plain value means `eq`. A table holds operators (eq ne lt le
---gt ge) and functions (contains startswith endswith). Filters inside of the table are joined, too.
---
---    f5.filter { staging = true, name = { contains = "log'in" } }
---    f5.filter { status = f5.filter.any { "pending", "ignored" } }
---
---Outside of ASM the device filters by partition only.
---@overload fun(conditions: table): f5.filter.value
local filter = {}

---Any of these values or conditions, for one property.
---
---*Raises* "usage": `choices` is not an array, or is empty.
---
---*Source* REST API User Guide 14.1, "About query parameters"
---@param choices any[] array of values and conditions
---@return table condition the value of one property in `f5.filter { … }`
function filter.any(choices) end

---Everything that does not match the conditions.
---
---*Raises* "usage": a condition is invalid.
---
---*Source* REST API User Guide 14.1, "About query parameters"
---@param conditions table property = value, or property = { operator = value }
---@return f5.filter.value filter the negation
function filter.no(conditions) end

---A filter in OData syntax, which is sent unchanged.
---
---*Raises* "usage": the text is empty or not a string.
---
---*Source* REST API User Guide 14.1, "About query parameters"
---@param text string text of an OData filter
---@return f5.filter.value filter the same text
function filter.raw(text) end

---Returns the text of a filter for a path. It rejects what the device does not support at that
---path.
---
---*Raises* "usage": a condition is invalid, or the path supports only `partition eq NAME`.
---
---*Source* REST API User Guide 14.1, "About query parameters"
---@param value string|table|f5.filter.value text, conditions or a filter
---@param path string path that starts with /mgmt
---@return string text the parameter $filter, not encoded
function filter.text(value, path) end

---Tells whether a value is a filter.
---
---*Raises* nothing.
---
---*Source* docs/guide.md, "Reading"
---@param value any the value to look at
---@return boolean is_filter true for results of f5.filter, `no` and `raw`
function filter.is(value) end

return filter
