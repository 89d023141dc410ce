"""Long work shows how far it is, to a person who looks and wants to know."""

import os
import pty
import sys
import time

import dask.array as da
import numpy as np
import pytest
from anndata import AnnData
from distributed import Client, LocalCluster

from scanpy_dask import pp


def slow(block):
    time.sleep(0.5)
    return block


@pytest.fixture
def slow_data():
    return AnnData(da.ones((8, 3), chunks=(1, 3)).map_blocks(slow, meta=np.ones((0, 0))))


@pytest.fixture
def terminal():
    """A terminal to write to."""
    reader, writer = pty.openpty()
    with os.fdopen(writer, "w") as stream:
        yield stream, reader
    os.close(reader)


def shown_on(terminal, call):
    """What a call shows when standard error is a terminal."""
    stream, reader = terminal
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        call()
    print("<end>", file=stream, end="", flush=True)
    text = ""
    while not text.endswith("<end>"):
        text += os.read(reader, 1000).decode()
    return text.removesuffix("<end>")


@pytest.fixture(params=["threads", "cluster"])
def place(request):
    if request.param == "threads":
        yield
        return
    options = {"n_workers": 1, "threads_per_worker": 2, "dashboard_address": ":0"}
    with LocalCluster(processes=False, **options) as cluster, Client(cluster):
        yield


@pytest.mark.usefixtures("place")
def test_progress_is_shown_on_a_terminal(slow_data, terminal):
    assert "100%" in shown_on(terminal, lambda: pp.filter_genes(slow_data, min_cells=1))


@pytest.mark.usefixtures("place")
def test_progress_is_not_shown_where_that_was_asked_for(slow_data, terminal):
    options = {"min_cells": 1, "show_progress_bar": False}
    assert shown_on(terminal, lambda: pp.filter_genes(slow_data, **options)) == ""


@pytest.mark.usefixtures("place")
def test_progress_is_not_written_into_a_file(slow_data, capfd):
    pp.filter_genes(slow_data, min_cells=1)
    written = capfd.readouterr()
    assert "%" not in written.err
    assert written.out == ""
