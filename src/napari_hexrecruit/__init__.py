"""Show where on the cortical sheet a simulated population is recruited, and when.

From Python::

    from napari_hexrecruit import recruitment_cube, write_cube
    cube = recruitment_cube("simulation_config.json", radius=50.0, bin_ms=10.0)
    write_cube(cube, "run.hexrecruit.nc")

All public names can be imported from here; each is loaded when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
