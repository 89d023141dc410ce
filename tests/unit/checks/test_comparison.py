"""The same call on the host and on a backend, each on copies of the inputs."""

import pytest

from scverse_backends.testing import compare


def close(ours, theirs):
    assert ours == pytest.approx(theirs, rel=1e-6)


def test_both_results_and_both_sets_of_inputs_are_given(dispatcher, host, backend):
    backend()
    found = compare(dispatcher, "my_own", host.scale, [1.0, 2.0], factor=3.0)
    assert (found.function, found.name) == ("scale", "mine")
    assert found.host.result == found.backend.result == [3.0, 6.0]
    assert found.host.arguments == found.backend.arguments == {"values": [1.0, 2.0], "factor": 3.0}
    assert (found.changed, found.mutated_alike) == ((), True)
    found.check(close)


def test_the_callers_own_inputs_stay_as_they_are(dispatcher, host, backend):
    backend()
    values = [1.0, 2.0]
    found = compare(dispatcher, "mine", host.clear, values)
    assert values == [1.0, 2.0]
    assert found.host.arguments["values"] == found.backend.arguments["values"] == [0.0, 0.0]
    assert found.host.changed == found.backend.changed == found.changed == ("values",)
    assert found.mutated_alike
    found.check(lambda ours, theirs: ours == theirs)


def test_inputs_that_are_one_object_stay_one(dispatcher, backend):
    @dispatcher.backend_dispatch
    def swap(left, right):
        left.append(1)
        return left is right

    backend(swap=lambda left, right: left.append(1) or left is right)
    shared = []
    found = compare(dispatcher, "mine", swap, shared, shared)
    assert found.host.result is found.backend.result is True
    assert found.changed == ("left", "right")


def test_a_result_that_differs_fails_with_the_comparison_that_was_given(
    dispatcher, host, backend, wrong
):
    backend(scale=wrong.off)
    with pytest.raises(AssertionError) as caught:
        compare(dispatcher, "mine", host.scale, [1.0, 2.0]).check(close)
    assert caught.value.__notes__ == [
        "scale: the result is not the same on backend 'mine' and the host."
    ]


def test_a_comparison_may_answer_instead_of_raising(dispatcher, host, backend, wrong):
    backend(scale=wrong.off)
    found = compare(dispatcher, "mine", host.scale, [1.0])
    with pytest.raises(AssertionError, match="the result is not the same"):
        found.check(lambda ours, theirs: ours == theirs)
    found.check(lambda ours, theirs: ours == pytest.approx(theirs, rel=0.01))


def test_an_input_that_only_the_backend_changes_is_named(dispatcher, host, backend, wrong):
    backend(rank=wrong.sorting)
    found = compare(dispatcher, "mine", host.rank, [3.0, 1.0])
    assert (found.host.changed, found.backend.changed) == ((), ("values",))
    assert not found.mutated_alike
    with pytest.raises(AssertionError) as caught:
        found.check(close)
    assert "argument 'values', changed by backend 'mine'," in caught.value.__notes__[0]


def test_an_input_that_both_change_in_their_own_way_is_named(dispatcher, host, backend):
    backend(clear=lambda values: values.clear())
    with pytest.raises(AssertionError) as caught:
        compare(dispatcher, "mine", host.clear, [3.0, 1.0]).check(close)
    assert "changed by backend 'mine' and the host" in caught.value.__notes__[0]


def test_arrays_and_what_is_no_number_are_the_same_by_their_bits(dispatcher, backend):
    numpy = pytest.importorskip("numpy")
    total = dispatcher.backend_dispatch(name="total")(lambda table: table.sum())
    backend(total=lambda table: table.sum())
    table = numpy.array([1.0, float("nan")])
    found = compare(dispatcher, "mine", total, table)
    assert (found.changed, found.mutated_alike) == ((), True)


def test_what_cannot_be_compared_counts_as_changed(dispatcher, backend):
    class Opaque:
        def __reduce_ex__(self, protocol):
            raise TypeError

        def __deepcopy__(self, memo):
            return Opaque()

    look = dispatcher.backend_dispatch(name="look")(lambda thing: 1)
    backend(look=lambda thing: 1)
    assert compare(dispatcher, "mine", look, Opaque()).changed == ("thing",)


def test_a_backend_that_cannot_take_the_call_has_nothing_to_compare(dispatcher, host, backend):
    backend(scale=lambda values: values)
    with pytest.raises(
        AssertionError,
        match=r"'mine' ran no call of 'scale': it ran on 'cpu' "
        r"\(backend 'mine' does not take 'factor'\)",
    ):
        compare(dispatcher, "mine", host.scale, [1.0], factor=7.0)


def test_a_function_that_calls_dispatched_ones_is_compared_as_a_whole(
    dispatcher, host, backend, wrong
):
    backend(scale=wrong.off)

    def pipeline(values):
        return host.scale(host.rank(values))

    with pytest.raises(AssertionError, match="approx"):
        compare(dispatcher, "mine", pipeline, [2.0, 1.0]).check(close)
    with pytest.raises(AssertionError, match="'mine' ran nothing: no dispatched function"):
        compare(dispatcher, "mine", lambda values: values, [2.0])


def test_what_a_backend_calls_of_the_host_may_run_on_the_host(dispatcher, offer, host):
    with offer(
        "partial", scale=lambda values, factor=2.0: [place * factor for place in host.rank(values)]
    ):
        found = compare(dispatcher, "partial", host.scale, [0.0, 1.0])
    assert found.backend.result == [0.0, 2.0]


def test_a_coroutine_is_run_and_a_generator_is_read_to_its_end(dispatcher, backend):
    @dispatcher.backend_dispatch
    async def fetch(keys):
        return [keys.pop()]

    @dispatcher.backend_dispatch
    def walk(keys):
        while keys:
            yield keys.pop()

    async def fetch_there(keys):
        return [keys.pop(), "there"]

    backend(fetch=fetch_there, walk=lambda keys: iter(keys[::-1]))
    fetched = compare(dispatcher, "mine", fetch, ["a", "b"])
    walked = compare(dispatcher, "mine", walk, ["a", "b"])
    assert (fetched.host.result, fetched.backend.result) == (["b"], ["b", "there"])
    assert fetched.changed == ("keys",)
    assert walked.host.result == walked.backend.result == ["b", "a"]
    assert (walked.host.changed, walked.backend.changed) == (("keys",), ())
