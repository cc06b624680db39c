-- The Tcl of iCall's scripts on the simulated device. One script runs all lines.
local lab = require "lab"

-- Tcl, and its result: what Tcl 8.4 and 8.5 give for it.
local RESULTS <const> = {
  { "set a 5", "5" },
  { "set a {b c}; llength $a", "2" },
  { "expr {1 + 2 * 3}", "7" },
  { "expr 7/2", "3" },
  { "expr {7/2.0}", "3.5" },
  { "expr {-7/2}", "-4" },
  { "expr {-7 % 3}", "2" },
  { "expr {1e3}", "1000.0" },
  { "expr {0x1f}", "31" },
  { 'expr {"abc" eq "abc" && 1 < 2}', "1" },
  { 'expr {"10" == "10.0"}', "1" },
  { "expr {3 > 2 ? {yes} : {no}}", "yes" },
  { "expr {[llength {a b}] == 2}", "1" },
  { "expr {int(3.7) + round(2.5) + abs(-1)}", "7" },
  { "expr {!0 && ~0 == -1}", "1" },
  { "expr {0 && [error never]}", "0" },
  { "set x 3; if {$x > 2} {set y big} else {set y small}", "big" },
  { "set x 1; if {$x > 2} {set y a} elseif {$x == 1} {set y one} else {set y c}", "one" },
  { 'set s ""; foreach {a b} {1 2 3 4} {append s $a-$b,}; set s', "1-2,3-4," },
  { "set i 0; while {$i < 5} {incr i; if {$i == 3} break}; set i", "3" },
  { "set s {}; for {set i 0} {$i < 3} {incr i} {append s $i}; set s", "012" },
  { "set s {}; foreach i {1 2 3} {if {$i == 2} continue; append s $i}; set s", "13" },
  { "catch {error boom} msg; set msg", "boom" },
  { "catch {error boom}", "1" },
  { "catch {set fine 1}", "0" },
  { "proc f {a {b 2} args} {return [expr {$a+$b}]:$args}; f 1", "3:" },
  { "f 1 5 x y", "6:x y" },
  { "proc g {} {foreach x {1 2 3} {if {$x == 2} {return $x}}}; g", "2" },
  { "set ::n 4; proc h {} {global n; incr n; return $::n}; h", "5" },
  { "lindex [lindex {{a {b c}} d} 0] 1", "b c" },
  { "lindex {a b c} end-1", "b" },
  { "set arr(x) 1; set arr(y) 2; set k y; set r $arr($k)", "2" },
  { "lsort [array names arr]", "x y" },
  { "info exists arr(z)", "0" },
  { 'set l {}; lappend l a {b c} "d"; set l', "a {b c} d" },
  { "list a {} {b c} \\{", "a {} {b c} \\{" },
  { "lrange {a b c d} 1 end-1", "b c" },
  { "lreplace {a b c d} 1 2 X", "a X d" },
  { "linsert {a c} 1 b", "a b c" },
  { "concat {a b} { c }", "a b c" },
  { "lsearch -exact {a b c} b", "1" },
  { "lsearch {a b c} z", "-1" },
  { "join [lsort -integer -unique {3 1 2 3}] ,", "1,2,3" },
  { 'split "a,b,,c" ,', "a b {} c" },
  { 'format "%-5s|%03d|%x" ab 7 255', "ab   |007|ff" },
  { "regexp {^(\\d+)-(\\w+)$} 12-ab all n w; list $all $n $w", "12-ab 12 ab" },
  { "regexp {x} abc", "0" },
  { "regsub -all {a(.)} xabac {<\\1&>} r; set r", "x<bab><cac>" },
  { "string map {a 1 b 2} abc", "12c" },
  { "string range hello 1 end", "ello" },
  { "string length [string repeat ab 3]", "6" },
  { "string match *.net a.example.net", "1" },
  { "string trim {  x }", "x" },
  { "string is integer 12", "1" },
  { "string first lo hello", "3" },
  { "switch -glob abc {a* {set r 1} default {set r 2}}", "1" },
  { "switch x {a - x {set r 1} default {set r 2}}", "1" },
  { 'set x "a[string toupper b]c$k"', "aBcy" },
  { "set b [list {x y} $k] ;# a comment", "{x y} y" },
  { "set v {a $b [c]}", "a $b [c]" },
  { 'set v "x\\ty"', "x\ty" },
  { "set v {x\\ty}", "x\\ty" },
  { "set v ${k}z", "yz" },
  { 'set v "{ a }"', "{ a }" },
  { "eval {set q 1}", "1" },
  { "clock format 0 -format {%Y-%m-%d:%H:%M:%S}", "1970-01-01:00:00:00" },
}

-- Tcl that fails, and the message.
local ERRORS <const> = {
  { "set v $undefined", 'can\'t read "undefined": no such variable' },
  { "none_such a", 'invalid command name "none_such"' },
  { "set", 'wrong # args: should be "set varName ?newValue?"' },
  { "expr {1 / 0}", "divide by zero" },
  { "expr {1 +}", nil },
  { "f", 'wrong # args: should be "f a ?b? args"' },
  { "incr k", 'expected integer but got "y"' },
  { "if {maybe} {}", nil },
  { "lindex {a \\{b} nonsense", nil },
}

describe("simulated device: the Tcl of iCall", function()
  local device, bip
  setup(function() device, bip = lab.start() end)
  teardown(function() lab.stop(bip, device) end)

  -- Runs each Tcl of a list; returns the lines "N|status|result".
  local function run(list)
    local lines = {}
    for n, entry in ipairs(list) do
      lines[n] = ("set code [catch {%s} result]\nputs \"%d|$code|$result\"\n"):format(entry[1], n)
    end
    bip.sys.icall.script.s:replace { definition = table.concat(lines) }
    bip.sys.icall.handler.periodic.h:replace { script = "/Common/s", interval = 60 }
    device:control("write_file", { path = "/var/tmp/scriptd.out", text = "" })
    device:advance(60)
    local results = {}
    local text <const> = device:control("read_file", "/var/tmp/scriptd.out")
    for n, code, result in text:gmatch "(%d+)|(%d)|([^\n]*)\n" do
      results[tonumber(n)] = { code, result }
    end
    assert.equal(#list, #results, text)
    return results
  end

  before_each(function()
    bip.sys.icall.script.s:ensure { definition = "puts x" }
    bip.sys.icall.handler.periodic.h:ensure { script = "/Common/s", interval = 60 }
  end)

  it("gives the results of Tcl", function()
    for n, result in ipairs(run(RESULTS)) do
      assert.same({ "0", RESULTS[n][2] }, result, RESULTS[n][1])
    end
  end)

  it("gives the errors of Tcl", function()
    for n, result in ipairs(run(table.move(ERRORS, 1, #ERRORS, 3, {
      { "proc f {a {b 2} args} {}", "" }, { "set k y", "y" },
    }))) do
      local entry <const> = ERRORS[n - 2]
      if entry then
        assert.equal("1", result[1], entry[1])
        if entry[2] then assert.equal(entry[2], result[2], entry[1]) end
      end
    end
  end)
end)
