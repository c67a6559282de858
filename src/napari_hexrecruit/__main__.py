"""Run ``hexrecruit`` as ``python -m napari_hexrecruit``."""

from napari_hexrecruit.cli import main

if __name__ == "__main__":
    main()
