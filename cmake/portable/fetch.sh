# Gets the pinned source packages with apt-get, from the Debian mirrors this machine uses already.
# Sourced by libraries.sh.
#
# The machine's own apt configuration has no deb-src lines as a rule, and is not to be edited for
# this: a configuration of our own, in the cache folder, names the same mirrors as sources.

apt_config=$cache/apt

apt_with_sources() {
  local command=$1
  shift
  "$command" -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$apt_config/parts" \
    -o Dir::State::lists="$apt_config/lists" -o Dir::Cache="$apt_config/cache" \
    -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

# Writes the configuration and refreshes its lists, once a run.
apt_prepare() {
  [ -z "${apt_ready:-}" ] || return 0
  mkdir -p "$apt_config/parts" "$apt_config/lists/partial" "$apt_config/cache/archives/partial"
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' \
    'Created-By: Packages' |
    awk -v "signed=[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
      '$4 == "Debian" && !seen[$0]++ { print "deb-src", signed, $1, $2, $3 }' \
      > "$apt_config/parts/sources.list"
  [ -s "$apt_config/parts/sources.list" ] ||
    die "apt knows no Debian mirror; run apt-get update first"
  apt_with_sources apt-get -qq update >&2 ||
    die "the lists of Debian's source packages could not be had"
  apt_ready=yes
}

pinned_versions() { awk -v p="$1" '$1 == p && !seen[$2]++ { print $2 }' "$pins"; }
pinned_files() { awk -v p="$1" -v v="$2" '$1 == p && $2 == v { print $3, $4 }' "$pins"; }

# verified DIRECTORY PACKAGE VERSION: are all its files there, with the right content?
verified() {
  local file sum
  while read -r file sum; do
    [ -f "$1/$file" ] || return 1
    [ "$(sha256sum < "$1/$file" | cut -d' ' -f1)" = "$sum" ] || {
      echo "$file: not the pinned content" >&2
      return 1
    }
  done < <(pinned_files "$2" "$3")
}

# unpack PACKAGE DIRECTORY: the sources, patched, in DIRECTORY; downloads what is not in the cache.
unpack() {
  local package=$1 into=$2 version store dsc only
  for version in $(pinned_versions "$package"); do
    store=$cache/sources/$package-${version#*:}
    dsc=$(pinned_files "$package" "$version" | awk '$1 ~ /\.dsc$/ { print $1 }')
    if ! verified "$store" "$package" "$version"; then
      apt_prepare
      rm -rf "$store" && mkdir -p "$store"
      only=(--download-only)
      [ -n "$dsc" ] || only+=(--tar-only)
      (cd "$store" && apt_with_sources apt-get -qq source "${only[@]}" "$package=$version" >&2) || {
        rm -rf "$store"
        echo "$package $version: not to be had, trying the one before" >&2
        continue
      }
      verified "$store" "$package" "$version" || {
        rm -rf "$store"
        die "$package $version: refused"
      }
    fi
    rm -rf "$into"
    if [ -n "$dsc" ]; then
      dpkg-source --no-check -x "$store/$dsc" "$into" > /dev/null
    else
      mkdir -p "$into" && tar -xf "$store"/*.orig.tar.* --strip-components=1 -C "$into"
    fi
    return 0
  done
  die "$package: none of the pinned versions can be had any more;" \
    "scripts/package pin $package shows the newest"
}

# pin PACKAGE: lines for sources.txt
pin() {
  local store version file
  apt_prepare
  store=$(mktemp -d)
  version=$(apt_with_sources apt-cache showsrc "$1" | awk '/^Version:/ { print $2 }' |
    sort -V | tail -1)
  [ -n "$version" ] || die "no source package $1"
  (cd "$store" && apt_with_sources apt-get -qq source --download-only "$1=$version" >&2) ||
    die "$1 $version: not to be had"
  for file in "$store"/*; do
    case $file in *.asc) continue ;; esac
    echo "$1 $version ${file##*/} $(sha256sum < "$file" | cut -d' ' -f1)"
  done
  rm -rf "$store"
}
