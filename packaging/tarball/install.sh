#!/bin/bash
# install.sh [--laptop]: installs this tree below PREFIX (/usr/local), as root; a server's parts too, unless --laptop is said. With DESTDIR nothing but
# files is made. Files that were edited stay as they are; uninstall.sh takes all of it away again. sshd is not reloaded.
set -euo pipefail
umask 022
cd "$(dirname "$0")"
job=install.sh
# shellcheck source=scripts/install-lib
. scripts/install-lib
# shellcheck source=scripts/install-system
. scripts/install-system
case "${1:-}" in
    "") parts=(bin libexec lib share) ;;
    --laptop) parts=(bin lib/systemd/user share/man/man1 share/man/man5/opk-client-config.5 share/bash-completion share/zsh share/fish) ;;
    *) die "the only option is --laptop, not '$1'" ;;
esac
refuse_unsafe_place

# Programs first under another name, so that a login in this moment, or a full disk, never meets half of one.
while read -r file; do
    place=$DESTDIR$PREFIX/$file
    folder 0755 "$(dirname "$place")"
    mode=0644
    [ ! -x "$file" ] || mode=$(mode_of "$file")
    if [[ $file = share/man/* ]]; then
        manual "$file"
        continue
    fi
    if [ "$mode" = 0644 ] && grep -qI '/usr/local/' "$file"; then
        sed "s|/usr/local/|$PREFIX/|g" "$file" > "$place.new"
        chmod "$mode" "$place.new"
    else
        install "${owned[@]}" -m "$mode" "$file" "$place.new"
    fi
    mv -f "$place.new" "$place"
done <<< "$(find "${parts[@]}" -type f | sort)"

if [ "${1:-}" = --laptop ]; then
    say "installed opk in $bin, its manuals, completions and user service below $DESTDIR$PREFIX"
    say "next: opk login"
else
    system_install
    activate
fi
