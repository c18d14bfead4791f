"""Prometheus' text form."""

from __future__ import annotations

from pilotfish.client.exposition import head, histogram, sample


def test_text_in_labels_is_escaped() -> None:
    line = sample("requests_total", (("path", 'a"b\\c\nd'), ("code", "200")), 7)
    assert line == 'requests_total{path="a\\"b\\\\c\\nd",code="200"} 7'


def test_a_sample_may_have_no_labels() -> None:
    assert sample("up", (), 1) == "up 1"


def test_a_histogram_counts_up_to_all() -> None:
    lines = histogram("took_seconds", (("verb", "GET"),), (0.005, 1.0), (2, 3, 1), 4.5)
    assert list(lines) == [
        'took_seconds_bucket{verb="GET",le="0.005"} 2',
        'took_seconds_bucket{verb="GET",le="1"} 5',
        'took_seconds_bucket{verb="GET",le="+Inf"} 6',
        'took_seconds_sum{verb="GET"} 4.5',
        'took_seconds_count{verb="GET"} 6',
    ]


def test_a_metric_says_what_it_is() -> None:
    assert list(head("up", "gauge", "Whether it is up.")) == [
        "# HELP up Whether it is up.",
        "# TYPE up gauge",
    ]
