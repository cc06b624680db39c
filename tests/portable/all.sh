# What scripts/test --portable runs; sourced by it.
add_builds release
for flavour in portable glibc tar deb; do
  check "scripts/package $flavour" scripts/package $flavour
  run_jobs "scripts/package $flavour"
done
spec "tests/portable" env "F5LUA_PORTABLE=$PWD/build/portable/f5lua" \
  timeout 600 build/release/f5lua tests/run.lua tests/portable
# The specs run in the program of this machine, and start the one that is carried elsewhere.
for flavour in portable glibc; do
  for file in tests/spec/program/*_spec.lua; do
    spec "$flavour $file" env "F5LUA=$PWD/build/$flavour/f5lua" \
      timeout 600 build/release/f5lua tests/run.lua "$file"
  done
done
run_jobs "the portable programs"
check "the tar, unpacked" tests/portable/tar
check "the deb, in a fresh system" tests/portable/deb
run_jobs "packages"
