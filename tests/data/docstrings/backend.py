"""What a backend makes of the host functions: other defaults, and options of its own."""

from __future__ import annotations

name = "tiled"


def embed(adata, *, min_dist=0.5, spread=2.0, n_components=2, random_state=None, tiles=4):
    """Embed the graph, tile by tile.

    Parameters
    ----------
    adata
        Annotated data matrix.
    tiles
        How many tiles.
    """


def cluster(x, resolution=1.0, *, metric="cosine", theta: float = 100, precision="single"):
    """Group observations.

    Parameters
    ----------
    theta
        The overdispersion.
    precision : {'single', 'double'}, default='single'
        The precision, which is

        - single, or
        - double.

        The second is slower.
    """


def filter_rows(data, min_counts=1, max_counts=None, *, inplace=False, tiles: int):
    """Filter."""


def normalise(x, target=1.0, flavour="median"):
    """Scale."""


def pool(values, by="group", *, tiles: int = 4):
    """Pool values.

    Params
    ------
    tiles (default: 4)
        - many, or
        - few.
    """


def indented(data, layer="raw", *, inplace=True, tiles: int = 4, chunk=2):
    """Take logarithms.

    Parameters
    ----------
        data
            Counts.
        tiles
            How many tiles.
        chunk
            How much at once.
    """


def half_indented(data, layer=None, *, tiles: int = 4):
    """Take roots."""


def align(a, b, x0, y0, *, shift=1, low=0, high=1):
    """Align.

    Parameters
    ----------
    low, high : float
        The bounds.
    """


def rank(data, groups, *, method="wilcoxon", reference="rest", layer="X", chunk: int | None = None):
    """Rank."""


def plot(x, y, *, ax=None, dpi=100):
    """Draw.

    Other Parameters
    ----------------
    dpi : int
        The resolution.
    """


def heatmap(x, *, ax=None):
    """Draw."""


def smooth(x, width=5, *, tiles=2):
    """Smooth.

    Args:
        tiles: Not read, for it is not numpydoc.
    """


def solve(a, b, *, tol=1e-3, max_iter=100, restart=20):
    """Solve.

    Parameters
    ----------
    restart : int
        How often to begin anew.
    """


def sample(n, *, seed=1, stream=None):
    """Draw.

    Parameters
    ----------
    stream : object
        Where to draw.
    """


def correlate(x, y=None, *, method="spearman", tiles=2):
    """Correlate."""


def parse(text, *, grammar="csv", encoding="latin-1", lines="all"):
    """Parse.

    Parameters
    ----------
    lines : str
        Which lines::

            all

        or none.
    """


def own(x, *, mode="slow", tiles=8, extra=0):
    """Reduce."""


def ruled(x, factor=2, tiles=1):
    """Scale."""


class Model:
    """A model.

    Parameters
    ----------
    device : int
        Where to keep it.
    """

    def __init__(self, layers=3, *, rate=0.1, device=0):
        """Begin."""


def google(x, factor=2, tiles=1):
    """Scale."""


sphinx = brief = sections = short_rule = missing = google
