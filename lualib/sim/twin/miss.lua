-- What a twin raises when it must first read something from the device: it ends the request, which
-- is undone, and runs again from its start when the answer is there (see sim/twin/init.lua). It
-- looks like a response that comes later, so that everything between passes it on.
return { status = 599, later = true, miss = true }
