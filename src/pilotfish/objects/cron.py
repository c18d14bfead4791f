"""Cron schedules as CronJobs write them: when is the next time.

Five fields, minute hour day-of-month month day-of-week, each of `*`, `?`, numbers, names, ranges
and steps; or a macro such as `@daily`, or `@every 1h30m`. Kubernetes: "CronJob", "Schedule
syntax"; what cron(8) leaves open goes as in Kubernetes: Sunday is 0 and not 7, `5/10` begins at 5,
and a day has to match both day fields unless neither begins with `*`: then one is enough.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_MINUTE = timedelta(minutes=1)
# A schedule that matches nothing for so long never will (29 February comes every 8 years).
_HORIZON = timedelta(days=9 * 366)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    (0, 6, {name: number for number, name in enumerate(_DAYS)}),
)
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = "@every "
_UNITS_S = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)", re.ASCII)
_DURATION = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)


class ScheduleError(ValueError):
    """The text is no schedule; says why."""


@dataclass(frozen=True)
class Schedule:
    """When something is due, at whole minutes.

    Attributes:
        minutes, hours, days, months, weekdays: those that match.
        either_day: whether one of the two day fields is enough.
        every: the time between two runs instead of all that; None for none.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    every: timedelta | None = None

    def next_after(self, moment: datetime, zone: tzinfo = UTC) -> datetime | None:
        """The first time after a moment; None if there is none in years.

        Args:
            moment: aware of its zone.
            zone: in which the schedule is meant. A time that the clocks skip does not come; an
                hour that they repeat comes twice.

        Returns:
            The time, in UTC.
        """
        moment = moment.astimezone(UTC)
        if self.every is not None:
            return moment.replace(microsecond=0) + self.every
        at = moment.replace(second=0, microsecond=0) + _MINUTE
        end = at + _HORIZON
        while at < end:
            local = at.astimezone(zone)
            if local.month not in self.months:
                first = local.replace(day=1, hour=0, minute=0, fold=0)
                at = _later(at, (first + timedelta(days=32)).replace(day=1))
            elif not self._is_day(local):
                at = _later(at, local.replace(hour=0, minute=0, fold=0) + timedelta(days=1))
            elif local.hour not in self.hours:
                at += timedelta(minutes=60 - local.minute)
            elif local.minute not in self.minutes:
                at += _MINUTE
            else:
                return at
        return None

    def last_until(self, begin: datetime, end: datetime, zone: tzinfo = UTC) -> datetime | None:
        """The last time after `begin` that is not after `end`; None without any."""
        if self.every is not None:
            times = (end - begin.replace(microsecond=0)) // self.every
            return begin.replace(microsecond=0) + times * self.every if times > 0 else None
        # Looked for in ever longer whiles, so that a frequent schedule takes no more steps.
        back = timedelta(hours=1)
        while True:
            found = self.next_after(max(begin, end - back), zone)
            if found is not None and found <= end:
                break
            if end - back <= begin:
                return None
            back *= 24
        while (later := self.next_after(found, zone)) is not None and later <= end:
            found = later
        return found

    def _is_day(self, local: datetime) -> bool:
        by_date, by_weekday = local.day in self.days, local.isoweekday() % 7 in self.weekdays
        return by_date or by_weekday if self.either_day else by_date and by_weekday


def parse_schedule(text: str) -> Schedule:
    """The schedule that a text describes. Raises ScheduleError."""
    if text.startswith(_EVERY):
        return _every(text.removeprefix(_EVERY))
    if text.startswith("@") and text not in _MACROS:
        raise ScheduleError(f"unrecognized descriptor: {text}")
    fields = _MACROS.get(text, text).split()
    if len(fields) != len(_FIELDS):
        raise ScheduleError(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    sets, stars = [], []
    for field, (least, most, names) in zip(fields, _FIELDS, strict=True):
        parts = [_range(part, least, most, names) for part in field.split(",")]
        sets.append(frozenset().union(*(numbers for numbers, _ in parts)))
        stars.append(any(is_star for _, is_star in parts))
    minutes, hours, days, months, weekdays = sets
    either_day = not stars[2] and not stars[4]
    return Schedule(minutes, hours, days, months, weekdays, either_day)


def _range(text: str, least: int, most: int, names: dict[str, int]) -> tuple[frozenset[int], bool]:
    """The numbers of one part of a field, and whether it is a star without a step."""
    span, slash, step_text = text.partition("/")
    step = _number(step_text, {}) if slash else 1
    if step == 0:
        raise ScheduleError(f"step of range should be a positive number: {text}")
    first_text, dash, last_text = span.partition("-")
    is_star = first_text in ("*", "?")
    if is_star:
        first, last = least, most
    else:
        first = _number(first_text, names)
        last = _number(last_text, names) if dash else most if slash else first
    if first < least:
        raise ScheduleError(f"beginning of range ({first}) below minimum ({least}): {text}")
    if last > most:
        raise ScheduleError(f"end of range ({last}) above maximum ({most}): {text}")
    if first > last:
        raise ScheduleError(f"beginning of range ({first}) beyond end of range ({last}): {text}")
    return frozenset(range(first, last + 1, step)), is_star and step == 1


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not (text.isascii() and text.isdigit() and len(text) < 5):
        raise ScheduleError(f"failed to parse int from {text}")
    return int(text)


def _every(text: str) -> Schedule:
    if not _DURATION.fullmatch(text):
        raise ScheduleError(f"failed to parse duration {_EVERY}{text}")
    seconds = sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))
    none: frozenset[int] = frozenset()
    every = timedelta(seconds=max(1, int(seconds)))
    return Schedule(none, none, none, none, none, either_day=False, every=every)


def _later(at: datetime, local: datetime) -> datetime:
    """The beginning of a local day, in UTC; later than `at` whatever the clocks do there."""
    return max(local.astimezone(UTC), at + _MINUTE)
