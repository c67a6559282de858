#!/bin/sh
# Check that the system libraries for Qt, OpenGL and a virtual screen are installed, and the browser
# of the tests.
#
# Linux only; elsewhere Qt includes all it needs. Installs what is missing if allowed (apt-get, as
# root or with a sudo that asks for no password), otherwise prints it. Fast if nothing is missing.
# Exit status: 0 if all are installed, 1 if one is missing.
set -eu

[ "$(uname -s)" = Linux ] || exit 0
PATH="$PATH:/usr/sbin:/sbin"

# Required libraries and programs, each with its Debian or Ubuntu package.
needed() {
    cat <<'TABLE'
libGL.so.1              libgl1
libEGL.so.1             libegl1
libOpenGL.so.0          libopengl0
libGLX_mesa.so.0        libglx-mesa0
swrast_dri.so           libgl1-mesa-dri
libglib-2.0.so.0        libglib2.0-0
libfontconfig.so.1      libfontconfig1
libdbus-1.so.3          libdbus-1-3
libxkbcommon-x11.so.0   libxkbcommon-x11-0
libxcb-cursor.so.0      libxcb-cursor0
libxcb-icccm.so.4       libxcb-icccm4
libxcb-image.so.0       libxcb-image0
libxcb-keysyms.so.1     libxcb-keysyms1
libxcb-randr.so.0       libxcb-randr0
libxcb-render-util.so.0 libxcb-render-util0
libxcb-shape.so.0       libxcb-shape0
libxcb-xinerama.so.0    libxcb-xinerama0
libxcb-xkb.so.1         libxcb-xkb1
TABLE
    # The browser for the tests of the web page.
    echo "chromium chromium"
    echo "chromedriver chromium-driver"
    if [ -z "${DISPLAY:-}" ]; then
        echo "Xvfb xvfb"
        echo "xvfb-run xvfb"
        echo "xauth xauth"
    fi
}

has() {
    case "$1" in
    *_dri.so) # a driver, loaded by path
        for folder in /usr/lib/*/dri /usr/lib64/dri /usr/lib/dri; do
            [ -e "$folder/$1" ] && return 0
        done
        return 1
        ;;
    lib*) printf '%s\n' "$libraries" | grep -q "^[[:space:]]*$1 " ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

# Sets `missing` (libraries and programs) and `packages` (each once).
look() {
    libraries=$(ldconfig -p)
    missing="" packages=""
    while read -r name package; do
        has "$name" && continue
        missing="$missing $name"
        case " $packages " in *" $package "*) ;; *) packages="$packages $package" ;; esac
    done <<TABLE
$(needed)
TABLE
}

if ! command -v ldconfig >/dev/null 2>&1; then
    echo "system-libs: no ldconfig here, so the libraries that Qt needs were not checked"
    exit 0
fi
look
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root="env"
elif sudo -n true >/dev/null 2>&1; then
    as_root="sudo -n env"
else
    as_root=""
fi

if [ -n "$as_root" ] && command -v apt-get >/dev/null 2>&1; then
    echo "system-libs: installing$packages"
    # shellcheck disable=SC2086  # the package names are words
    {
        $as_root DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 update &&
            $as_root DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
                install -y --no-install-recommends $packages
    } </dev/null >/dev/null || echo "system-libs: apt-get failed"
    look
    [ -n "$missing" ] || exit 0
fi

echo "system-libs: Qt, OpenGL and the tests need these and they are not installed:$missing" >&2
echo "system-libs: on Debian or Ubuntu: sudo apt-get install$packages" >&2
echo "system-libs: on another system, install the packages that hold these files" >&2
exit 1
