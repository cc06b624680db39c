-- The shell of the simulated device: its language and its programs.
local lab = require "lab"

describe("simulated device: shell", function()
  local device, bip
  before_each(function() device, bip = lab.start { provision = { "ltm" } } end)
  after_each(function() lab.stop(bip, device) end)

  local bash <const>, prints <const> = lab.shell(function() return bip end)

  it("runs loops, conditions, cases and functions", function()
    prints("1\n2\n3\n", "for i in 1 2 3; do echo $i; done")
    prints("0 1 2 ", "for ((i=0; i<3; i++)); do echo -n \"$i \"; done")
    prints("1\n3\n",
      "i=0; while [ $i -lt 3 ]; do i=$((i+1)); [ $i = 2 ] && continue; echo $i; done")
    prints("2\n", "n=0; until [ $n -ge 2 ]; do ((n++)); done; echo $n")
    prints("x\n", "for i in x y; do echo $i; break; done")
    prints("mkdir: created directory '/var/tmp/v'\nremoved '/var/tmp/v/f'\n"
      .. "removed directory: '/var/tmp/v'\n",
      "mkdir -v /var/tmp/v; touch /var/tmp/v/f; rm -v /var/tmp/v/f; rm -rv /var/tmp/v")
    prints("yes\n", "case abc in x|a*) echo yes;; *) echo no;; esac")
    prints("f a 2\n3\n", "f() { echo \"f $1 $#\"; return 3; }; f a b; echo $?")
    prints("ok\nre\n", "[[ abc == a* && 1 -lt 2 ]] && echo ok\n[[ abc =~ ^a.c$ ]] && echo re")
    prints("a=1\nb=2\n", "printf 'a 1\\nb 2\\n' | while read -r n v; do echo $n=$v; done")
    prints("one\n", "set -e; echo one; false; echo two")
    prints("1 b a c\n", "bash -c 'echo $# $0 $1 $2' b a c | sed 's/^2/1/'")
    prints("deep\n", "((echo deep))")
  end)

  it("reads here-documents", function()
    prints("a 2 x\nb\n", "cat <<EOT\na $((1+1)) $(echo x)\nb\nEOT\n")
    prints("$HOME\n", "cat <<'EOT'\n$HOME\nEOT\n")
    prints("a\nend\n", "cat <<-E > /tmp/doc\n\ta\n\tE\ncat /tmp/doc; echo end")
    prints("/root\n", "cat <<< $HOME")
  end)

  it("expands variables, arithmetic, braces and names of files", function()
    prints("b.tar.gz /a/b.tar /a/b 11 def /a/c a/b\n",
      "x=/a/b.tar.gz; echo ${x##*/} ${x%.gz} ${x%%.*} ${#x} ${y:-def} "
        .. "$(z=/a/b; echo ${z/b/c}) ${x:1:3}")
    prints("1024 3 1 -1 6\n", "n=5; echo $((2**10)) $((7/2)) $((1<2)) $((-3%2)) $((n+1))")
    prints("/bin/bash: division by 0\n1\n", "echo $((1/0)); echo $?")
    prints("1 2 3 ax ay {}\n", "echo {1..3} a{x,y} {}")
    prints("/tmp/g1.x /tmp/g2.x\n/tmp/*.none\n",
      "touch /tmp/g1.x /tmp/g2.x; echo /tmp/*.x; echo /tmp/*.none")
    prints("127\n", "nosuch 2>/dev/null; echo $?")
  end)

  it("has programs for lines and columns", function()
    bash "printf 'b 2\\na 10\\na 9\\n' > /tmp/t"
    prints("a 10\na 9\nb 2\n", "sort /tmp/t")
    prints("b 2\na 9\na 10\n", "sort -k2 -n /tmp/t")
    prints("      2 a\n      1 b\n", "cut -d' ' -f1 /tmp/t | sort | uniq -c")
    prints("21 3\n", "awk '{ s += $2 } END { print s, NR }' /tmp/t")
    prints("9\n", "awk '$1 == \"a\" && $2 < 10 { print $NF }' /tmp/t")
    prints("root-/bin\n", "awk -F: '/^root/ { print $1 \"-\" $NF }' <<< root:x:0:/bin")
    prints(" 3.14|x\n", "awk 'BEGIN { printf \"%5.2f|%s\\n\", 3.14159, \"x\" }'")
    prints("a 2\nb 1\n", "awk '{ n[$1]++ } END { for (k in n) print k, n[k] }' /tmp/t | sort")
    prints("hell0 world\n", "echo hello world | sed 's/o/0/g; s/\\(w\\)0/\\1o/'")
    prints("2\n3\n", "seq 3 | sed -n '2,$p'")
    prints("b-a\n", "echo a.b | sed -E 's/(.)\\.(.)/\\2-\\1/'")
    prints("HELLO\n", "echo hello | tr a-z A-Z")
    prints("1+2+3\n", "seq 3 | paste -sd+")
    prints("b\nb\n", "echo abab | grep -o b")
    prints("a 10\na 9\n", "grep -w -A1 10 /tmp/t")
    prints("got x y\n", "echo 'x y' | xargs echo got")
    prints("x\ny\n", "echo x y | xargs -n1 echo")
  end)

  it("has programs for files", function()
    prints("d/1\nd/2\none\ntwo\n",
      "mkdir /tmp/d; cd /tmp; echo one > d/1; echo two > d/2; tar czf x.tgz d; rm -r d; "
        .. "tar tzf x.tgz; tar -xzf x.tgz -C /var/tmp; cat /var/tmp/d/*")
    prints("tar: This does not look like a tar archive\n2\n",
      "echo no > /tmp/no; tar tf /tmp/no; echo $?")
    prints("/tmp/u: OK\n/tmp/u: FAILED\n1\n",
      "cd /; echo u > /tmp/u; sha256sum /tmp/u > /tmp/sums; sha256sum -c /tmp/sums; "
        .. "echo v > /tmp/u; sha256sum -c /tmp/sums; echo $?")
    prints("/tmp/x.tgz\n", "find /tmp -name '*.tgz' -type f")
    prints("b\n2\nfile\n", "basename /a/b.c .c; stat -c %s /tmp/u; [ -f /tmp/u ] && echo file")
    prints("rm: cannot remove '/tmp/none': No such file or directory\n1\n",
      "rm /tmp/none; echo $?")
  end)

  it("names programs that are not simulated", function()
    prints("curl: not simulated\n127\n", "curl -k https://localhost/; echo $?")
    prints("Dynamic routing is not enabled\n1\n", "imish -r 0 -e 'show running-config'; echo $?")
    prints("a\nb\n", "mkdir /tmp/e; touch /tmp/e/b /tmp/e/a; ls -1 /tmp/e")
    prints("3\n6\n", "expr 1 + 2; echo 2*3 | bc")
    prints("tmm          down\n", "bigstart stop tmm; bigstart status tmm")
    prints("2\n", "printf '1\n2\n' > /tmp/f; tail -n 1 -f /tmp/f")
    assert.match("^PING 192.0.2.1 ", bash "ping -c 1 192.0.2.1")
  end)

  it("refuses what nests too deep", function()
    local function deep(text) return text:rep(20000) end
    for script, expected in pairs {
      ["echo $((" .. deep "1?" .. "1))"] = "recursion level exceeded",
      ["echo $((" .. deep "- " .. "1))"] = "recursion level exceeded",
      ["[ " .. deep "! " .. "x ] && echo even"] = "even",
      ["awk 'BEGIN { " .. deep "if (1) " .. "print }'"] = "too many levels",
      ["awk 'BEGIN { print " .. deep "2^" .. "1 }'"] = "too many levels",
      ["awk 'BEGIN { print " .. deep "(" .. "1 }'"] = "too many levels",
      ["echo | sed '" .. deep "{" .. "'"] = "too many levels",
      ["echo x | sed -E 's/" .. deep "(" .. "//'"] = "too big",
      [deep "${x:-"] = "looking for matching",
      ["tmsh create ltm pool p " .. deep "{ "] = "is missing",
      ["tmsh create ltm virtual v source-address-translation " .. deep "{ a " .. deep "} "] =
        "nest too deep",
    } do
      assert.match(expected, bash(script), script:sub(1, 40))
    end
  end)

  it("ends scripts without an end", function()
    for _, script in ipairs {
      "while :; do :; done", "for ((;;)); do x=$x$x; done", "f() { f; }; f",
      "awk 'BEGIN { while (1) x = x \"aaaaaaaaaaaaaaaa\" }'",
      "awk 'BEGIN { for (;;) { } }'", "until false; do sed 's/a/aa/g' <<< aaaaaaaa; done",
      "x=$(printf %0100000d 0); case $x in *${x}1) echo;; esac; while :; do :; done",
      "x=$(printf %030000d 0); echo ${x/0*1/}; while :; do :; done",
      "x=$(printf %030000d 0); echo ${x%%*1}; while :; do :; done",
      "yes=1; while [ $((yes)) ]; do yes=$((yes+1)); done", "x=x; echo $((x))",
    } do
      local started <const> = os.clock()
      local output <const> = bash(script)
      assert.is_true(
        output:find "stopped by the simulated device" ~= nil
          or output:find "recursion level exceeded" ~= nil,
        script .. ": " .. output:sub(1, 100)
      )
      assert.is_true(os.clock() - started < 5, script)
    end
  end)
end)
