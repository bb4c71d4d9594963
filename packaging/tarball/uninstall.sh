#!/bin/bash
# uninstall.sh: removes what install.sh put below PREFIX (/usr/local) and made on this system. What was edited stays and is named.
set -euo pipefail
exec "$(dirname "$0")/scripts/uninstall"
