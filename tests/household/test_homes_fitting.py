"""Fitting boxes along an edge: every place that is offered is free, and every place that is not is taken."""

from __future__ import annotations

from housemates.env.household.homes.fitting import Edge, Form, Solid, in_the_open
from hypothesis import given
from hypothesis import strategies as st

AREA = (0.0, 6.0, 0.0, 5.0)
EDGES = (
    Edge("west", 0.0, 5.0, 0.0),
    Edge("east", 0.0, 5.0, 6.0),
    Edge("south", 0.0, 6.0, 0.0),
    Edge("north", 0.0, 6.0, 5.0),
)
centimetres = st.integers(0, 600).map(lambda number: number / 100)
sizes = st.integers(10, 250).map(lambda number: number / 100)
solids = st.builds(
    lambda x, y, z, *size: Solid.of((x, y, z), size), centimetres, centimetres, centimetres, sizes, sizes, sizes
)
forms = st.builds(Form, sizes, sizes, sizes, centimetres)


@given(st.sampled_from(EDGES), forms, st.lists(solids, max_size=6))
def test_a_place_along_an_edge_is_offered_exactly_if_it_is_free(edge: Edge, form: Form, taken: list[Solid]) -> None:
    gaps = edge.gaps(form, taken)
    for n in range(61):
        along = edge.start + (edge.end - edge.start) * n / 60
        solid = edge.solid(along, form)
        length = (along - form.length / 2 - edge.start, edge.end - along - form.length / 2)
        is_free = not any(solid.hits(other) for other in taken)
        slack = 0.01  # at the very ends of a gap, touching and overlapping are told apart by a millimetre
        if any(low <= along <= high for low, high in gaps):
            assert not any(solid.grown(-slack).hits(other) for other in taken)
        elif min(length) > slack and is_free:
            assert any(solid.grown(slack).hits(other) for other in taken)


@given(st.tuples(sizes, sizes, sizes), st.sampled_from([0.0, 0.3]), st.lists(solids, max_size=6))
def test_a_place_in_the_open_keeps_its_distance(
    size: tuple[float, float, float], margin: float, taken: list[Solid]
) -> None:
    solid = in_the_open(AREA, size, margin, taken)
    if solid is not None:
        assert solid.grown(margin).within(*AREA)
        assert not any(solid.grown(margin).hits(other) for other in taken)


def test_what_is_longer_than_the_edge_fits_nowhere() -> None:
    assert EDGES[0].gaps(Form(5.1, 1.0, 1.0), []) == []
    assert in_the_open(AREA, (6.5, 1.0, 1.0), 0.0, []) is None
