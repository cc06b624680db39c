-- The f5 module: the C core, and parts in Lua that are loaded when they are first used.
return {}
