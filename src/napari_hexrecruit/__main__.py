"""``python -m napari_hexrecruit`` is ``hexrecruit``."""

from napari_hexrecruit.cli import main

if __name__ == "__main__":
    main()
