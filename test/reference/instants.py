"""Event times: epoch s, ms, us or ns, told by size, or RFC 3339 text. Years 2000 to 2100."""
import datetime
import re

FIRST_MS = 946684800000  # 2000-01-01
LAST_MS = 4133980800000  # 2101-01-01, not in it any more

RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,9}))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))", re.ASCII)
EPOCH = datetime.datetime(1970, 1, 1)
DIGITS = re.compile(r"(?:0|[1-9][0-9]*)", re.ASCII)


def from_number(text):
    """Milliseconds, or None. What is finer than a millisecond is cut off."""
    if DIGITS.fullmatch(text) is None or len(text) > 19:
        return None
    value = int(text)
    for divisor, factor in ((1, 1000), (1, 1), (1000, 1), (1000000, 1)):
        ms = value * factor // divisor
        if FIRST_MS <= ms < LAST_MS:
            return ms
    return None


def from_text(text):
    """Milliseconds, or None."""
    found = RFC3339.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    fraction, sign, zone_hour, zone_minute = found.groups()[6:]
    try:
        moment = datetime.datetime(year, month, day, hour, minute, second) - EPOCH
    except ValueError:
        return None
    ms = (moment.days * 86400 + moment.seconds) * 1000
    ms += int((fraction or "0").ljust(9, "0")[:3])
    if sign is not None:
        if int(zone_hour) > 23 or int(zone_minute) > 59:
            return None
        shift = (int(zone_hour) * 60 + int(zone_minute)) * 60000
        ms += -shift if sign == "+" else shift
    return ms if FIRST_MS <= ms < LAST_MS and 2000 <= year <= 2100 else None
