#!/bin/sh
# Installs claude-code-proxy for yourself, without root: sh install.sh
# It downloads the archive for this machine and SHA256SUMS, compares them, unpacks the archive into ~/.local/share/claude-code-proxy and
# puts a link into ~/.local/bin. Nothing else is changed. To remove it: delete these two.
# CCP_RELEASE  address or folder with the files of a release, where it is another than the one below
# CCP_PREFIX   in place of ~/.local
set -eu

RELEASE=''
release=${CCP_RELEASE:-$RELEASE}
prefix=${CCP_PREFIX:-$HOME/.local}
name=claude-code-proxy

fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

[ -n "$release" ] || fail 'set CCP_RELEASE to the address where the files of the release are'

case $(uname -s) in
  Linux) system=linux ;;
  Darwin) system=darwin ;;
  *) fail "there is no executable for $(uname -s); under Windows download the .zip" ;;
esac
case $(uname -m) in
  x86_64 | amd64) platform=$system-x64 ;;
  aarch64 | arm64) platform=$system-arm64 ;;
  *) fail "there is no executable for $(uname -m)" ;;
esac
if [ "$system" = linux ] && ! getconf GNU_LIBC_VERSION >/dev/null 2>&1; then
  fail 'the executable needs glibc, which this system does not have'
fi

if has zstd && has tar; then ending=tar.zst
elif has unzip; then ending=zip
else fail 'zstd or unzip is needed to unpack it; install one of them'
fi

# Downloads the file $1 of the release to $2.
download() {
  if has curl; then curl -fsSL --proto '=https,http,file' -o "$2" "$release/$1"
  elif has wget; then wget -q -O "$2" "$release/$1"
  else fail 'curl or wget is needed to download it'
  fi || fail "$release/$1 cannot be downloaded"
}

sum() { if has sha256sum; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1; }

mkdir -p "$prefix/share/$name" "$prefix/bin"
work=$(mktemp -d "$prefix/share/$name/new-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

download SHA256SUMS "$work/SHA256SUMS"
archive=$(sed -n "s/^[0-9a-f]\{64\}  \($name-[0-9][^/]*-$platform\.$ending\)\$/\1/p" "$work/SHA256SUMS")
[ -n "$archive" ] || fail "the release has no $ending for $platform"
download "$archive" "$work/$archive"
expected=$(sed -n "s/^\([0-9a-f]\{64\}\)  $archive\$/\1/p" "$work/SHA256SUMS")
[ "$(sum "$work/$archive")" = "$expected" ] || fail "$archive is not what SHA256SUMS names; nothing was installed"

if [ "$ending" = zip ]; then unzip -q "$work/$archive" -d "$work"
else zstd -dcq "$work/$archive" | tar -xf - -C "$work"
fi
folder=${archive%".$ending"}
"$work/$folder/$name" --version >/dev/null || fail "$archive does not run on this machine; nothing was installed"
rm -rf "$prefix/share/$name/$folder"
mv "$work/$folder" "$prefix/share/$name/$folder"
ln -sfn "../share/$name/$folder/$name" "$prefix/bin/$name"
printf '%s\n' "$prefix/bin/$name is $folder. How to use it: $prefix/share/$name/$folder/README.md"
case :$PATH: in *":$prefix/bin:"*) ;; *) printf '%s\n' "$prefix/bin is not on PATH." ;; esac
