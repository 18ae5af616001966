"""The soak's judgement of what is flat: a leak is seen through noise, an outlier is not taken for one."""

import random

import pytest

from tests.bench.flatness import Limit, judged, slope

TENTH = Limit(share=0.1, slack=0)


def noisy(rate: float) -> list[tuple[float, float]]:
    """Two hundred samples around 100, growing by `rate` in all."""
    chance = random.Random(7)
    return [(float(at), 100 + rate * at / 199 + chance.uniform(-8, 8)) for at in range(200)]


@pytest.mark.parametrize(("rate", "is_flat"), [(0, True), (5, True), (20, False), (-30, True)])
def test_growth_is_told_from_noise(rate: float, is_flat: bool):
    verdict = judged("memory", noisy(rate), TENTH)
    assert verdict.is_flat is is_flat
    assert verdict.growth == pytest.approx(rate, abs=3)


def test_a_few_outliers_are_no_growth():
    points = noisy(0)
    points[-5:] = [(at, 10_000.0) for at, _figure in points[-5:]]
    assert judged("latency", points, TENTH).is_flat


def test_small_figures_may_move_by_their_slack():
    points = [(0.0, 2.0), (1.0, 3.0)]
    assert not judged("files", points, TENTH).is_flat
    assert judged("files", points, Limit(share=0.1, slack=1)).is_flat


def test_one_point_has_no_slope():
    assert slope([(1.0, 5.0)]) == 0
