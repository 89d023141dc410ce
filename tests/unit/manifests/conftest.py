"""Backends with manifests, whose modules tell on themselves when anything imports them."""

from textwrap import dedent

import pytest

MODULE = "raise RuntimeError('nobody was to import this')"

MANIFEST = """
    schema = 1
    name = "tiled"
    aliases = ["tiles"]

    [renames.scale]
    factor = "by"

    [functions.scale]
    signature = "(values, by=3, *, tile_size: int = 64)"
    parameters = '''
    tile_size : int
        How many values to work on at once.
    '''
    """


@pytest.fixture
def ship(site):
    """Install a backend with a manifest, as wheels do; its adapter cannot be imported."""

    def ship(
        manifest=MANIFEST,
        *,
        distribution="tiled",
        name="tiled_point",
        module="tiled.adapter",
        **more,
    ):
        more.setdefault("modules", {module.partition(":")[0]: MODULE})
        site.install(distribution, entry_points={name: module}, **more)
        path = module.partition(":")[0].replace(".", "/") + ".toml"
        if isinstance(manifest, bytes):
            (site.folder / path).write_bytes(manifest)
        else:
            site.write(path, dedent(manifest))

    return ship


@pytest.fixture
def scale(dispatcher):
    """Give a dispatched function."""

    @dispatcher.backend_dispatch
    def scale(values, factor=2):
        """Scale values.

        Parameters
        ----------
        values
            What to scale.
        factor
            By how much.
        """
        return [value * factor for value in values]

    return scale
