#!/bin/sh
# Run a command that opens windows: on the screen if there is one, otherwise on a virtual one.
# Usage: scripts/with-display.sh COMMAND [ARGUMENT...]
set -eu

if [ "$(uname -s)" = Linux ]; then
    "$(dirname "$0")/system-libs.sh"
    if [ -z "${DISPLAY:-}" ]; then
        export LIBGL_ALWAYS_SOFTWARE=1 QT_QPA_PLATFORM=xcb
        exec xvfb-run -a -s "-screen 0 1400x1000x24" "$@"
    fi
fi
exec "$@"
