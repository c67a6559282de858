"""Without napari, the parts of the package and of the tests that need it are not collected."""

import importlib.util

if importlib.util.find_spec("napari") is None:
    collect_ignore_glob = ["src/napari_hexrecruit/_napari/*", "tests/napari/*"]
