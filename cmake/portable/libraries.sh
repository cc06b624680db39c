#!/usr/bin/env bash
# Builds the static libraries of the portable f5lua into a prefix in the cache folder, each one
# once.
#
#   libraries.sh musl CACHE     everything, against musl, for the static-pie program
#   libraries.sh glibc CACHE    what Debian has no fitting .a file of (a trimmed libcurl, libpq),
#                               against this machine's glibc
#   libraries.sh pin CACHE PACKAGE   lines for sources.txt
#
# The last line printed is the prefix. A library is built again when its recipe, its pinned sources,
# the compiler or a library built before it has changed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
pins=$here/sources.txt
flavour=$1
mkdir -p "$2"
cache=$(cd "$2" && pwd)
jobs=${F5LUA_JOBS:-$(nproc)}
die() { echo "libraries.sh: $*" >&2; exit 1; }

. "$here/fetch.sh"
[ "$flavour" != pin ] || { pin "$3"; exit; }

machine=$(gcc -dumpmachine)
prefix=$cache/$machine-$flavour
work=$cache/work-$machine-$flavour
mkdir -p "$prefix/bin" "$prefix/lib/pkgconfig" "$prefix/include" "$prefix/licences"
exec 9> "$cache/$machine-$flavour.lock"
flock 9

export CFLAGS="-O2 -ffunction-sections -fdata-sections -fstack-protector-strong"
CFLAGS="$CFLAGS -fstack-clash-protection -fPIE"
# Nothing in a static C program unwinds its stack.
[ "$flavour" != musl ] || CFLAGS="$CFLAGS -fno-asynchronous-unwind-tables -fno-unwind-tables"
export CPPFLAGS="-I$prefix/include" LDFLAGS="-L$prefix/lib"
export PKG_CONFIG_LIBDIR=$prefix/lib/pkgconfig PKG_CONFIG_PATH=
export LC_ALL=C

# --- the compiler ----------

# gcc with musl, making static position-independent executables. Debian's musl-gcc does not: with
# -static-pie it makes a dynamic one without a word, so its specs are copied with the start file and
# the link options of a static PIE. Of the kernel's headers it sees linux/, asm/ and asm-generic/
# and nothing else of /usr/include, which is glibc's.
make_compiler() {
  local musl=/usr/lib/${machine/-gnu/-musl} kernel=$prefix/kernel
  [ -f "$musl/rcrt1.o" ] || die "musl is missing: apt-get install musl-tools (scripts/setup does)"
  mkdir -p "$kernel"
  ln -sfn /usr/include/linux "$kernel/linux"
  ln -sfn "/usr/include/$machine/asm" "$kernel/asm"
  ln -sfn /usr/include/asm-generic "$kernel/asm-generic"
  local link='-static -pie --no-dynamic-linker -z text -z relro -z now -nostdlib'
  link="$link %{rdynamic:-export-dynamic}"
  sed -e "s#%{!shared: $musl/Scrt1.o}#$musl/rcrt1.o#" -e "s#^-dynamic-linker .*#$link#" \
    "$musl/musl-gcc.specs" > "$prefix/static-pie.specs"
  grep -q rcrt1.o "$prefix/static-pie.specs" &&
    grep -q no-dynamic-linker "$prefix/static-pie.specs" ||
    die "musl-gcc.specs is not as expected"
  cat > "$prefix/bin/cc" <<EOF
#!/bin/sh
exec gcc "\$@" -specs "$prefix/static-pie.specs" -idirafter "$kernel"
EOF
  chmod +x "$prefix/bin/cc"
}

# pkg-config that always answers for a static link, and knows this prefix first (for musl: alone).
make_pkg_config() {
  local where=PKG_CONFIG_PATH
  [ "$flavour" = glibc ] || where="PKG_CONFIG_PATH= PKG_CONFIG_LIBDIR"
  cat > "$prefix/bin/pkg-config" <<EOF
#!/bin/sh
$where=$prefix/lib/pkgconfig exec pkg-config --static "\$@"
EOF
  chmod +x "$prefix/bin/pkg-config"
}

# --- recipes: run in the unpacked sources ----------

# Debian's patches touch the inputs of autoconf and automake; the generated files fit us as upstream
# made them.
settle() {
  find . -name aclocal.m4 -exec touch {} +
  find . \( -name configure -o -name config.h.in -o -name '*config.h.in' -o -name config-h.in \) \
    -exec touch {} +
  find . -name Makefile.in -exec touch {} +
}

build_zlib() {
  ./configure --static --prefix="$prefix"
  make -j"$jobs" libz.a
  install -m 644 libz.a "$prefix/lib"
  install -m 644 zlib.h zconf.h "$prefix/include"
  install -m 644 zlib.pc "$prefix/lib/pkgconfig"
  cp debian/copyright "$prefix/licences/zlib"
}

build_openssl() {
  # no-dso, no-engine, no-module: nothing is ever loaded at run time. /etc/ssl is where most systems
  # keep openssl.cnf. The algorithms and protocols left out are those that no TLS 1.2 or 1.3 of a
  # BIG-IP uses; providers name all of theirs in tables, so the linker could not drop them.
  local target=linux-$(uname -m)
  ./Configure "$target" no-shared no-module no-tests no-async no-afalgeng no-engine no-dso \
    no-ui-console no-legacy no-aria no-camellia no-seed no-idea no-rc2 no-rc4 no-rc5 no-bf \
    no-cast no-md2 no-md4 no-mdc2 no-rmd160 no-whirlpool no-sm2 no-sm3 no-sm4 no-gost no-srp \
    no-psk no-ssl3 no-dtls no-cms no-cmp no-ts no-ct no-comp --prefix="$prefix" --libdir=lib \
    --openssldir=/etc/ssl $CFLAGS
  make -j"$jobs" build_libs
  make install_dev
  cp LICENSE.txt "$prefix/licences/openssl"
}

build_curl() {
  settle
  ./configure --prefix="$prefix" --disable-shared --enable-static \
    --with-openssl="$openssl_prefix" --with-zlib --without-ca-bundle --without-ca-path \
    --without-libpsl --without-libidn2 --without-brotli --without-zstd --without-nghttp2 \
    --without-libssh2 --without-libssh --without-librtmp --without-gssapi --disable-ldap \
    --disable-ldaps --disable-ftp --disable-file --disable-dict --disable-telnet --disable-tftp \
    --disable-pop3 --disable-imap --disable-smb --disable-smtp --disable-gopher --disable-mqtt \
    --disable-rtsp --disable-manual --disable-ntlm --disable-ntlm-wb --disable-unix-sockets \
    --disable-alt-svc --disable-hsts --disable-dependency-tracking --enable-threaded-resolver \
    --enable-symbol-hiding
  make -j"$jobs" -C lib
  make -C lib install
  make -C include install
  install -m 644 libcurl.pc "$prefix/lib/pkgconfig"
  cp COPYING "$prefix/licences/curl"
}

build_libpq() {
  # Only the client, in one archive with the two libraries of PostgreSQL that it needs. No Kerberos,
  # no LDAP. The source has the generated headers: perl and bison are not needed.
  settle
  ./configure --prefix="$prefix" --with-ssl=openssl --without-readline --without-zlib \
    --without-gssapi --without-ldap --without-icu --disable-rpath \
    CPPFLAGS="-I$openssl_prefix/include" LDFLAGS="-L$openssl_prefix/lib" LIBS="-lpthread"
  make -j"$jobs" -C src/backend generated-headers
  make -j"$jobs" -C src/common libpgcommon_shlib.a
  make -j"$jobs" -C src/port libpgport_shlib.a
  make -j"$jobs" -C src/interfaces/libpq libpq.a
  local archive
  rm -f "$prefix/lib/libpq.a"
  {
    echo "create $prefix/lib/libpq.a"
    for archive in interfaces/libpq/libpq.a common/libpgcommon_shlib.a port/libpgport_shlib.a; do
      echo "addlib src/$archive"
    done
    printf 'save\nend\n'
  } | ar -M
  mkdir -p "$prefix/include/postgresql"
  install -m 644 src/interfaces/libpq/libpq-fe.h src/include/postgres_ext.h \
    src/include/pg_config_ext.h "$prefix/include/postgresql"
  {
    printf 'Name: libpq\nDescription: PostgreSQL client\nVersion: 15\nRequires: openssl\n'
    printf 'Libs: -L%s/lib -lpq\nCflags: -I%s/include/postgresql\n' "$prefix" "$prefix"
  } > "$prefix/lib/pkgconfig/libpq.pc"
  cp COPYRIGHT "$prefix/licences/postgresql"
}

build_ncurses() {
  # Terminal descriptions are read where the system has them; the common ones are built in for where
  # it has none.
  ./configure --prefix="$prefix" --without-shared --with-normal --without-debug --without-cxx \
    --without-cxx-binding --without-ada --without-manpages --without-progs --without-tests \
    --with-termlib --enable-widec --disable-db-install --disable-stripping \
    --with-default-terminfo-dir=/usr/share/terminfo \
    --with-terminfo-dirs=/etc/terminfo:/lib/terminfo:/usr/share/terminfo \
    --with-fallbacks=xterm-256color,screen-256color,tmux-256color,linux,vt100,dumb \
    --enable-pc-files --with-pkg-config-libdir="$prefix/lib/pkgconfig"
  make -j"$jobs" libs
  make install.libs install.includes
  cp debian/copyright "$prefix/licences/ncurses"
}

build_libedit() {
  # wchar_t is Unicode on musl as on glibc, but musl does not say so in the macro that libedit asks
  # for. It has wcsdup, which the configure made before Debian's patch does not look for.
  settle
  CFLAGS="$CFLAGS -D__STDC_ISO_10646__=201103L -DHAVE_WCSDUP=1" \
    CPPFLAGS="$CPPFLAGS -I$prefix/include/ncursesw" LIBS="-ltinfow" ./configure \
    --prefix="$prefix" --disable-shared --enable-static --disable-examples \
    --disable-dependency-tracking ac_cv_lib_ncurses_tgetent=no ac_cv_lib_tinfo_tgetent=yes
  make -j"$jobs" -C src
  make -C src install
  sed -e 's/-lncurses//; s/-ltinfo\b//; s/^Libs: .*/& -ltinfow/' -e '/^Libs.private/d' libedit.pc \
    > "$prefix/lib/pkgconfig/libedit.pc"
  cp COPYING "$prefix/licences/libedit"
}

build_libevent() {
  settle
  ./configure --prefix="$prefix" --disable-shared --enable-static --disable-samples \
    --disable-libevent-regress --disable-debug-mode --disable-dependency-tracking
  make -j"$jobs"
  make install-data install-exec
  cp LICENSE "$prefix/licences/libevent"
}

build_lua() {
  # What Debian's library exports, compiled as upstream's makefile does; no dlopen: a static program
  # has none. -O3 makes a large collection decode a tenth faster, for 60 kB.
  local source objects=()
  # Debian's build makes it so.
  echo "#define DEB_HOST_MULTIARCH \"$machine\"" > src/lua5.4-deb-multiarch.h
  for source in src/*.c; do
    case $source in */lua.c | */luac.c) continue ;; esac
    $CC $CFLAGS -O3 -std=gnu99 -DLUA_COMPAT_5_3 -DLUA_USE_POSIX -c "$source" -o "${source%.c}.o"
    objects+=("${source%.c}.o")
  done
  rm -f "$prefix/lib/liblua5.4.a"
  ar rcs "$prefix/lib/liblua5.4.a" "${objects[@]}"
  mkdir -p "$prefix/include/lua5.4"
  install -m 644 src/lua.h src/luaconf.h src/lualib.h src/lauxlib.h src/lua.hpp \
    src/lua5.4-deb-multiarch.h "$prefix/include/lua5.4"
  {
    printf 'Name: Lua\nDescription: Lua\nVersion: 5.4.4\n'
    printf 'Libs: -L%s/lib -llua5.4 -lm\nCflags: -I%s/include/lua5.4\n' "$prefix" "$prefix"
  } > "$prefix/lib/pkgconfig/lua5.4.pc"
  cp debian/copyright "$prefix/licences/lua"
}

build_cjson() {
  local source
  for source in lua_cjson strbuf fpconv; do
    $CC $CFLAGS -I"$prefix/include/lua5.4" -DENABLE_CJSON_GLOBAL=0 -c $source.c -o $source.o
  done
  rm -f "$prefix/lib/liblua5.4-cjson.a"
  ar rcs "$prefix/lib/liblua5.4-cjson.a" lua_cjson.o strbuf.o fpconv.o
  cp LICENSE "$prefix/licences/lua-cjson"
}

build_mimalloc() {
  # One object that replaces malloc and its family; given to the linker before libc.a. musl's own
  # costs Lua a third of its speed.
  $CC $CFLAGS -std=gnu11 -DNDEBUG -DMI_MALLOC_OVERRIDE=1 -ftls-model=local-exec \
    -fno-builtin-malloc -Iinclude -c src/static.c -o "$prefix/lib/mimalloc.o"
  cp LICENSE "$prefix/licences/mimalloc"
}

# --- the order, and what has to be done again ----------

# library NAME PACKAGE: unpack, build, stamp. The stamp chains over all that came before.
chain=$({ gcc --version | head -1; echo "$CFLAGS"; declare -f make_compiler; } | sha256sum)
library() {
  local name=$1 package=$2 stamp started=$SECONDS
  stamp=$({ echo "$chain"; declare -f "build_$name" settle; grep "^$package " "$pins"; } |
    sha256sum | cut -d' ' -f1)
  chain=$stamp
  [ "$(cat "$prefix/.built-$name" 2> /dev/null)" != "$stamp" ] || return 0
  echo "building $package …" >&2
  mkdir -p "$work"
  unpack "$package" "$work/$name"
  # A subshell of its own, not a condition: set -e must hold inside the recipe.
  (cd "$work/$name" && set -x && "build_$name") > "$work/$name.log" 2>&1 < /dev/null &
  wait $! || {
    tail -30 "$work/$name.log" >&2
    die "$package does not build; the whole log is $work/$name.log"
  }
  echo "$stamp" > "$prefix/.built-$name"
  rm -rf "${work:?}/$name"
  echo "built $package in $((SECONDS - started)) s" >&2
}

make_pkg_config
case $flavour in
  musl)
    make_compiler
    export CC=$prefix/bin/cc
    openssl_prefix=$prefix
    library zlib zlib
    library mimalloc mimalloc
    library openssl openssl
    library curl curl
    library libevent libevent
    library ncurses ncurses
    library libedit libedit
    library lua lua5.4
    library cjson lua-cjson
    library libpq postgresql-15
    ;;
  glibc)
    export CC=gcc
    unset PKG_CONFIG_LIBDIR
    CFLAGS="$CFLAGS -D_FORTIFY_SOURCE=2"
    openssl_prefix=/usr
    library curl curl
    library libpq postgresql-15
    ;;
  *) die "unknown flavour $flavour" ;;
esac
rm -rf "$work"
echo "$prefix"
