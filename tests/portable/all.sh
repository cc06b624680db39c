# What scripts/test --portable runs; sourced by it.
heading "builds"
check "release build" scripts/build --tests release
for flavour in portable glibc tar deb; do
  check "scripts/package $flavour" scripts/package $flavour
done
heading "the portable program"
F5LUA_PORTABLE=$PWD/build/portable/f5lua counted build/release/f5lua tests/run.lua tests/portable
for flavour in portable glibc; do
  heading "from outside, the program of scripts/package $flavour"
  F5LUA=$PWD/build/$flavour/f5lua specs release tests/spec/program
done
heading "packages"
check "the tar, unpacked" tests/portable/tar
check "the deb, in a fresh system" tests/portable/deb
