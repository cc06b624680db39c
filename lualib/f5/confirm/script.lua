-- The Tcl script that a device runs when nobody confirms a change.
--
-- Who decides first, decides: the script and `f5lua confirm` both make the same object, the answer.
-- Its description says who made it. A second run of the script (after a reboot, or because
-- something could not be taken back) goes on if the answer is its own.
--
-- While the change is sent, the timer may run although a write is still on its way: f5lua was
-- killed, or access was lost. A device works on a transaction for at most 5 minutes. So the script
-- then runs each minute, 7 times. The description of the timer says whether the change was sent.

local M = {}

M.MAX_BYTES = 60000

--- How the description of the timer begins.
M.SENDING, M.WAITING = "f5lua, sending: ", "f5lua, waiting: "

local TEMPLATE <const> = [=[
# f5lua: takes back the change @ID@ unless somebody has confirmed it.
set id @ID@
set timer @TIMER@
set script @SCRIPT@
set answer @ANSWER@
set settings [lindex [tmsh::get_config sys global-settings hostname] 0]
if {[lsearch -exact {@HOSTS@} [tmsh::get_field_value $settings hostname]] < 0} {
  return
}
catch {
  tmsh::create sys icall script $answer description "\"taking back 0\"" \
    definition \{ set id @ID@ \}
}
set found [lindex [tmsh::get_config sys icall script $answer description] 0]
set said [tmsh::get_field_value $found description]
if {![string match "taking back *" $said]} {
  if {[string match "confirmed*" $said]} {
    tmsh::delete sys icall handler periodic $timer
    tmsh::delete sys icall script $script
    tmsh::delete sys icall script $answer
  }
  return
}
set tries [expr {[lindex $said 2] + 1}]
tmsh::modify sys icall script $answer description "\"taking back $tries\""
tmsh::log warning "f5lua: the change $id was not confirmed, taking it back"
set todo {
@COMMANDS@}
set late {
@LATE@}
set problem ""
if {[catch {
  tmsh::begin_transaction
  foreach command $todo {
    set queued 0
    foreach form [lindex $command 1] {
      if {![catch {eval $form} problem]} {
        set queued 1
        break
      }
    }
    if {!$queued} {
      error $problem
    }
  }
  tmsh::commit_transaction
} problem]} {
  catch {tmsh::cancel_transaction}
  set progress 1
  while {$progress && [llength $todo] > 0} {
    set progress 0
    set left {}
    foreach command $todo {
      set done 0
      foreach form [lindex $command 1] {
        if {![catch {eval $form} message]} {
          set done 1
          break
        }
        if {[lindex $command 0] eq "gone" && [string match "*01020036*" $message]
          || [lindex $command 0] eq "there" && [string match "*01020066*" $message]} {
          set done 1
          break
        }
      }
      if {$done} {
        set progress 1
      } else {
        lappend left $command
        set problem $message
      }
    }
    set todo $left
    if {!$progress} {
      set kept {}
      foreach form $late {
        if {[catch {eval $form}]} {
          lappend kept $form
        } else {
          set progress 1
        }
      }
      set late $kept
    }
  }
} else {
  set todo {}
}
foreach form $late {
  if {[catch {eval $form} message] && ![string match "*01020036*" $message]} {
    regsub -all {[^a-zA-Z0-9 _.,:/()-]} [string range $message 0 199] "?" message
    tmsh::log warning "f5lua: the change $id: an object that the device made stays: $message"
  }
}
set now [clock format [clock seconds] -format "%Y-%m-%dT%H:%M:%S"]
set clock [lindex [tmsh::get_config sys icall handler periodic $timer description] 0]
if {[string match "f5lua, sending*" [tmsh::get_field_value $clock description]] && $tries < @AGAIN@} {
  return
}
if {[llength $todo] == 0} {
  tmsh::modify sys icall script $answer description "\"taken back $now\""
  tmsh::log warning "f5lua: the change $id is taken back"
  tmsh::delete sys icall handler periodic $timer
  tmsh::delete sys icall script $script
  return
}
regsub -all {[^a-zA-Z0-9 _.,:/()-]} [string range $problem 0 199] "?" problem
tmsh::log error "f5lua: the change $id could not be taken back, [llength $todo] left: $problem"
if {$tries >= @TRIES@} {
  tmsh::modify sys icall script $answer \
    description "\"failed $now, [llength $todo] left: $problem\""
  tmsh::modify sys icall handler periodic $timer status inactive
}
]=]

local TRIES <const>, AGAIN <const> = 10, 7

--- The text of the script.
-- @param names table: id, timer, script, answer (full names)
-- @param hosts array of host names that the device has before and after the change
-- @param commands f5.confirm.command[]
function M.text(names, hosts, commands)
  local lines, late = {}, {}
  for _, command in ipairs(commands) do
    local forms = {}
    for k, form in ipairs(command.forms) do forms[k] = "{" .. form .. "}" end
    if command.late then
      late[#late + 1] = ("  %s\n"):format(forms[1])
    else
      lines[#lines + 1] = ("  {%s {%s}}\n"):format(
        command.gone and "gone" or command.there and "there" or "make", table.concat(forms, " ")
      )
    end
  end
  local values = {
    ID = names.id, TIMER = names.timer, SCRIPT = names.script, ANSWER = names.answer,
    HOSTS = table.concat(hosts, " "), COMMANDS = table.concat(lines),
    LATE = table.concat(late), TRIES = tostring(TRIES),
    AGAIN = tostring(AGAIN),
  }
  return (TEMPLATE:gsub("@(%u+)@", values))
end

return M
