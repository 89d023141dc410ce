"""Host functions whose docstrings have the shapes that occur in scientific libraries."""

from __future__ import annotations


def embed(adata, *, min_dist=0.5, spread=1.0, n_components=2, random_state=0, copy=False):
    """\
    Embed the neighbourhood graph in a few dimensions.

    The embedding keeps points close that are neighbours in the graph, and lets
    the others drift apart.

    Parameters
    ----------
    adata
        Annotated data matrix.
    min_dist
        The smallest distance between embedded points. Small values give dense
        clumps, large ones an even spread.
    spread
        The scale of the embedded points.
    n_components
        The number of dimensions.
    random_state
        Seed of the layout.
    copy
        Return a copy instead of writing to `adata`.

    Returns
    -------
    `None`, or a copy of `adata` with the field

    `.obsm['X_embedded']` : :class:`numpy.ndarray` (dtype `float`)
        The coordinates.
    """


def cluster(x, resolution=1.0, *, metric="euclidean", weights=None, callback=None):
    """Group observations into clusters.

    Parameters
    ----------
    x : {array-like, sparse matrix} of shape (n_samples, n_features)
        The data.
    resolution : float, default=1.0
        How fine the clusters are.
    metric : {'euclidean', 'cosine', 'manhattan'} or callable, default='euclidean'
        How distances are measured.
    weights : Mapping[str, Literal['uniform', 'distance'] | Callable[[int], float]] | None, optional
        The weight of each neighbour.
    callback : callable(labels: ndarray, iteration: int) -> bool, optional
        Called after each iteration; a true value ends the search.

    Returns
    -------
    ndarray of shape (n_samples,)
        The cluster of each observation.

    See Also
    --------
    embed : Embed the neighbourhood graph.
    """


def filter_rows(data, min_counts=None, max_counts=None, *, inplace=True):
    """Remove observations with too few or too many counts.

    Parameters
    ----------
    data : AnnData
        What to filter. The rules are

        - an observation is kept if it has at least `min_counts` counts,

          - counted before normalisation,
          - over all features;

        - an observation is kept if it has at most `max_counts` counts.
    min_counts, max_counts : int, optional
        The bounds. These are

        1. inclusive,
        2. independent
    inplace : bool
        Whether to change `data`:

        ``True``
            change it and return nothing
        ``False``
            return a mask

    Returns
    -------
    ndarray or None
        The mask.
    """


def normalise(x, target=1e4, flavour="sum"):
    """Scale every observation to the same total.

    Parameters
    ----------
    x : ndarray
        The counts.
    target : float
        The total. Common choices:

        ======== =========
        target   unit
        ======== =========
        1e4      per 10k
        1e6      per million
        ======== =========
    flavour : str
        What a total is:

        +---------+----------------+
        | flavour | total          |
        +=========+================+
        | sum     | of all counts  |
        +---------+----------------+
        | median  | of the counts  |
        +---------+----------------+

    Notes
    -----
    Totals of zero stay zero.
    """


def pool(values, by=None):
    """Pool values.

    Params
    ------
    values
        Numbers (default: none of them).
    by (default: `None`)
        What to group by.

    Returns
    -------
    The pooled values.
    """


def indented(data, layer=None, *, inplace=True, **rest):
    """Take logarithms.

    Parameters
    ----------
        data
            Counts.

        layer
            Which of them:

                X
        **rest
            Not used.

    Other Parameters
    ----------------
        inplace
            Whether to change the counts.

    Returns
    -------
        The logarithms.
    """


def half_indented(data, layer=None):
    """Take roots, described by two authors.

    Parameters
    ----------
        data : AnnData
            Counts.
    layer : str
        Which of them.
    """


def align(a, b, x0, y0, *, shift=0):
    """Align two series.

    Parameters
    ----------
    a, b : array_like
        The series.
    x0, y0 : float
        Where they begin.
    shift : int
        By how much to move.

    Returns
    -------
    a, b : ndarray
        The aligned series.
    """


def rank(data, groups, *, method="t-test", reference="rest", layer=None):
    """Rank features by how well they tell groups apart.

    .. versionadded:: 1.2

    Parameters
    ----------
    data : AnnData
        The data.
    groups : str
        The key of the groups.

        .. versionchanged:: 1.4
            Categories are kept in their order.
    method : str
        The test.

        .. deprecated:: 2.0
           Use `layer` to choose the values that are tested.
    reference : str
        What each group is compared with.
    layer : str, optional
        .. versionadded:: 1.5

        The values that are tested.

    Raises
    ------
    ValueError
        If there is only one group.
    """


def plot(x, y, *, ax=None, **kwargs):
    """Draw points.

    Parameters
    ----------
    x, y : array_like
        The coordinates.
    ax : Axes, optional
        Where to draw.
    **kwargs
        Further options of the drawing library.
    """


def heatmap(x, *, ax=None, **kwargs):
    r"""Draw a heat map.

    Parameters
    ----------
    x : array_like
        The values :math:`\alpha_{ij} \cdot \beta`.
    ax : Axes, optional
        Where to draw.
    \*\*kwargs : dict, optional
        Further options.

    Returns
    -------
    Axes
        Where it was drawn, ``"\n"`` and all.
    """


def smooth(x, width=3):
    """Smooth a series.

    Parameters
    ----------
    x : ndarray
        The series.
    width : int
        How many values are averaged.
    """


def solve(a, b, *, tol=1e-6, max_iter=100, check=True):
    """Solve a linear system.

    Parameters
    ----------
    a : ndarray
        The matrix.
    b : ndarray
        The right-hand side.

    Returns
    -------
    ndarray
        The solution.

    Other Parameters
    ----------------
    tol : float
        When to stop.
    max_iter : int
        When to give up.
    check : bool
        Whether to look for values that are not finite.

    Warns
    -----
    RuntimeWarning
        If it gives up.
    """


def sample(n, *, seed=0):
    """
    Draw samples, one by one.

    Parameters
    ----------

    n : int

        How many.

    seed : int

        Where to begin.


    Yields
    ------

    float
        The next sample.

    References
    ----------
    .. [1] A. Author, "On sampling", 2001.
    """
    yield from range(n)


def correlate(x, y=None, *, method="pearson"):
    """Correlate variables.

    Parameters
    ----------
    x
    y
    method : {'pearson', 'spearman'}

    Returns
    -------
    ndarray
        The correlations.

    See Also
    --------
    rank : Rank features.

    Notes
    -----
    It is defined as

    .. math:: r_{xy} = \\frac{c_{xy}}{s_x s_y}

    Examples
    --------
    >>> 1 + 1
    2
    """


def parse(text, *, grammar="plain", encoding="utf-8"):
    """Parse a table from text.

    Parameters
    ----------
    text : str
        The text, such as::

            Name
            one

        with the title first.
    grammar : str
        How a line is read::

            a | b

    encoding : str
        The encoding.

    Returns
    -------
    list
        The rows.
    """


def own(x, *, mode="fast", tiles=None):
    """Reduce values, with options that the host has described itself.

    Parameters
    ----------
    x : ndarray
        The values.
    mode : str
        How to go about it.
    backend : str
        Where to run; the host's own words.
    tiles : int
        Used by some backends.

    Returns
    -------
    float
        The reduced value.
    """


def ruled(x, factor=1):
    """Scale under double rules.

    Parameters
    ==========
    x : ndarray
        The values.
    factor : float
        By how much.

    Returns
    =======
    ndarray
        The scaled values.
    """


class Model:
    """A model of the data.

    Parameters
    ----------
    layers : int
        How many layers.
    rate : float
        How fast it learns.

    Attributes
    ----------
    weights : ndarray
        What was learned.

    Methods
    -------
    fit(x)
        Learn.

    Examples
    --------
    >>> 1 + 1
    2
    """

    def __init__(self, layers=2, *, rate=0.1):
        """Begin."""


def google(x, factor=1):
    """Scale values.

    Args:
        x: The values.
        factor: By how much.

    Returns:
        The scaled values.
    """


def sphinx(x, factor=1):
    """Scale values.

    :param x: The values.
    :param factor: By how much.
    :returns: The scaled values.
    """


def brief(x, factor=1):
    """Scale values."""


def sections(x, factor=1):
    """Scale values.

    Returns
    -------
    ndarray
        The scaled values.

    Notes
    -----
    Parameters
    are said elsewhere.
    """


def short_rule(x, factor=1):
    """Scale values.

    Parameters
    ---
    x : ndarray
        The values.
    """


def missing(x, factor=1):
    return x


SHAPES = {
    name: found
    for name, found in [*vars().items()]
    if getattr(found, "__module__", None) == __name__
}
LEFT_ALONE = {"google", "sphinx", "brief", "sections", "short_rule", "missing"}
