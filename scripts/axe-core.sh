#!/bin/sh
# Install axe-core, the accessibility checker of the tests, in a folder: scripts/axe-core.sh FOLDER
#
# It comes from npm and is not part of the package. Fast if it is already installed. Without npm,
# the accessibility test reports what is missing, and fails in CI.
set -eu

version=4.14.1
folder=$1
[ -e "$folder/axe.min.js" ] && exit 0
if ! command -v npm >/dev/null 2>&1; then
    echo "axe-core: no npm here, so the accessibility of the web page will not be tested" >&2
    exit 0
fi
mkdir -p "$folder"
cd "$folder"
if npm pack --silent "axe-core@$version" >/dev/null && tar -xzf "axe-core-$version.tgz" package/axe.min.js; then
    mv package/axe.min.js . && rmdir package && rm "axe-core-$version.tgz"
else
    echo "axe-core: npm could not fetch it, so the accessibility of the web page will not be tested" >&2
fi
