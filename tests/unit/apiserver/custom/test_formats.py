"""Formats of strings: what has them, and what has not."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.custom.formats import has_format

UUID = "123e4567-e89b-{}-426614174000"


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("bsonobjectid", ["0123456789abcdefABCDEF01"], ["0123", "g" * 24]),
        ("byte", ["YQ==", "YWJj", "YWI="], ["YQ", "YQ=", "a b=", "YQ==\n"]),
        (
            "cidr",
            ["10.0.0.0/8", "10.1.2.3/08", "::1/128", "010.0.0.1/32"],
            ["10.0.0.0", "10.0.0.0/33", "::/129", "a/8", "10.0.0.0/", "fe80::1%eth0/64"],
        ),
        ("creditcard", ["4111 1111 1111 1111", "378282246310005"], ["4111111111111112", "1"]),
        (
            "date",
            ["2024-02-29", "0000-01-01"],
            ["2023-02-29", "20240101", "2024-1-1"],
        ),
        (
            "date-time",
            ["2024-01-01T00:00:00Z", "2024-01-01t23:59:59.5+02:00"],
            ["2024-01-01", "2024-01-01 00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:00"],
        ),
        (
            "duration",
            ["1h30m", "-1.5s", "0", "1 day", "2 weeks", "3 hours and 4 min", "5d", "22 ns"],
            ["", "1", "day", "1 fortnight", "99999999999999999999 s", "1x"],
        ),
        (
            "email",
            ["a@b", "a.b+c@d.example", "Jo <a@b.example>", '"Jo X" <a@b>', '"a b"@c', "a@b (Jo)"],
            ["a", "@b", "a@", "a@b@c", "a b@c", "a@b c", "<a@b", "a..b@c", "Jo, Jim <a@b>"],
        ),
        ("hexcolor", ["#fff", "A0b1C2"], ["#ffff", "ggg"]),
        (
            "hostname",
            ["localhost", "a-b.example", "1a.example.museum", "bücher.example", "a"],
            ["", "-a", "a_b", "a.b.", "a..example", "a.1", "a" * 64, "a." * 127 + "example", "a b"],
        ),
        ("ipv4", ["10.0.0.1", "010.0.0.01", "::ffff:1.2.3.4"], ["10.0.0", "256.0.0.1", "::1"]),
        ("ipv6", ["::1", "::ffff:1.2.3.4"], ["1.2.3.4", "fe80::1%eth0", ":::"]),
        (
            "isbn",
            ["0321751043", "978-0321751041", "0-8044-2957-X"],
            ["0321751044", "9780321751042"],
        ),
        ("isbn10", ["0321751043"], ["978-0321751041"]),
        ("isbn13", ["978 0321751041"], ["0321751043"]),
        ("k8s-short-name", ["a-b", "1"], ["A", "a.b", "-a", "a" * 64, ""]),
        ("k8s-long-name", ["a-b.c", "a" * 100], ["a..b", "A.b", "a." * 127]),
        (
            "mac",
            ["01:23:45:67:89:ab", "01-23-45-67-89-ab-cd-ef", "0011.2233.4455"],
            ["01:23:45:67:89", "01:23-45:67:89:ab", "0123.4567", "01:23:45:67:89:ag"],
        ),
        ("password", ["anything at all"], []),
        ("rgbcolor", ["rgb(0, 12,255)"], ["rgb(256,0,0)", "rgb(1,2)", "rgb(01,0,0)"]),
        ("ssn", ["111-22-3333", "111 22-3333"], ["111223333", "111-22-333"]),
        (
            "uri",
            [
                "http://a.b/c?d=%zz",
                "/x",
                "mailto:a@b",
                "//a/b",
                "http://[::1]:80/",
                "/a b",
                "*",
            ],
            ["x", "", "://a", "http://a b/", "http://a:x/", "/%zz", "http://a/\n", " /a"],
        ),
        (
            "uuid",
            ["123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174000"],
            ["123e4567-e89b-12d3-a456", "{123e4567-e89b-12d3-a456-426614174000}"],
        ),
        (
            "uuid3",
            ["123e4567-e89b-32d3-1456-426614174000"],
            ["123e4567-e89b-42d3-a456-426614174000"],
        ),
        (
            "uuid4",
            ["123e4567-e89b-42d3-a456-426614174000"],
            ["123e4567-e89b-42d3-c456-426614174000"],
        ),
        (
            "uuid5",
            ["123e4567-e89b-52d3-a456-426614174000"],
            ["123e4567-e89b-42d3-a456-426614174000"],
        ),
        ("unheard-of", ["anything at all"], []),
    ],
)
def test_a_format(name: str, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not has_format(text, name)] == []
    assert [text for text in bad if has_format(text, name)] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hostname", "a" * 200_000 + "_"),
        ("email", "a." * 200_000 + "@"),
        ("duration", "1" * 400_000),
        ("duration", "1 " * 200_000),
        ("byte", "abcd" * 100_000 + "="),
        ("uri", "http://" + "a:" * 200_000),
        ("mac", "00:" * 100_000),
        ("cidr", "1" * 200_000 + "/8"),
    ],
)
def test_no_value_takes_more_time_than_its_length(name: str, text: str) -> None:
    """By an engine that goes back and tries again, some of these would take days."""
    assert not has_format(text, name)
