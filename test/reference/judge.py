"""What becomes of each message: DESIGN section 2, notes/semantics.md section 3.

Messages and notes come in merged order. "None" compares below everything.
"""
from collections import OrderedDict, deque

VELOCITY_PAYMENTS = 32
SHORT_MS = 60 * 1000
LONG_MS = 5 * 60 * 1000
LOOK_ALIKE_MS = 60 * 1000
GROUP_TEXT_MAX = 64
OTHER = "~other"

NONE = float("-inf")  # Only ever compared, never calculated with.


class Source:
    """A partition, or a file."""

    __slots__ = ("newest", "standing")

    def __init__(self):
        self.newest = NONE
        self.standing = "active"


class First:
    """What is remembered of an accepted payment."""

    __slots__ = ("event_ms", "source", "offset", "content")

    def __init__(self, payment, source, offset):
        self.event_ms = payment.event_ms
        self.source = source
        self.offset = offset
        self.content = payment.content()


class Judgement:
    """The verdict and what the row says beside it."""

    __slots__ = ("verdict", "known_id", "first", "earlier", "field", "score", "high_risk",
                 "velocity", "count", "look_alike")

    def __init__(self, verdict):
        self.verdict = verdict
        self.known_id = None
        self.first = None
        self.earlier = None
        self.field = None
        self.score = None
        self.high_risk = None
        self.velocity = None
        self.count = None
        self.look_alike = None


class Window:
    """One row of payment_metrics."""

    __slots__ = ("end", "count", "total", "places", "least", "most")

    def __init__(self, end, payment):
        self.end = end
        self.count = 0
        self.total = 0  # Billionths.
        self.places = 0
        self.least = payment
        self.most = payment

    def add(self, payment):
        self.count += 1
        self.total += payment.units * 10 ** (9 - payment.scale)
        self.places = max(self.places, payment.scale)
        if payment.amount < self.least.amount:
            self.least = payment
        if payment.amount > self.most.amount:
            self.most = payment


class Judge:
    """The state, and the two things that change it: a message and a note."""

    def __init__(self, rules):
        self.rules = rules
        self.lengths = [(NONE, rules.window)]  # From when on a window is so long.
        self.sources = []
        self.watermark = NONE
        self.memory = {}
        self.senders = OrderedDict()
        self.windows = OrderedDict()  # (start, region, currency): a Window
        self.groups = {}  # start: the (region, currency) that have a row of their own

    def join(self):
        """A new source, its number. It holds the watermark until it has a message."""
        self.sources.append(Source())
        return len(self.sources) - 1

    def adopt(self, number):
        """Its topic was made anew: the next incarnation joins, and what was before ends. A number.

        Nothing else changes: ids are remembered across incarnations, and the watermark stays.
        """
        anew = self.join()
        self.note_standing(number, "ended")
        return anew

    def note_start(self):
        for source in self.sources:
            source.standing = "active"
        self.move()

    def note_standing(self, number, standing):
        """idle, ended or active again."""
        self.sources[number].standing = standing
        self.move()

    def note_rules(self, rules):
        """Everything forgotten under the old retention is swept first."""
        old = self.rules.retention
        self.memory = {key: first for key, first in self.memory.items()
                       if self.watermark < first.event_ms + old}
        self.new_length(rules.window)
        self.rules = rules
        while len(self.senders) > rules.senders_max:
            self.senders.popitem(last=False)
        self.move()

    def new_length(self, length):
        """It starts behind the open windows, which close under the old one."""
        open_ends = [window.end for window in self.windows.values() if not self.closed(window)]
        least = max(open_ends + [self.watermark])
        start = least if least == NONE else -(-least // length) * length
        self.lengths = [old for old in self.lengths if old[0] < start]
        if not self.lengths or self.lengths[-1][1] != length:
            self.lengths.append((start, length))

    def window_at(self, moment):
        """Start and end of the window it falls into."""
        number = max(n for n, (start, _) in enumerate(self.lengths) if start <= moment)
        length = self.lengths[number][1]
        start = moment - moment % length
        end = start + length
        if number + 1 < len(self.lengths):
            end = min(end, self.lengths[number + 1][0])
        return start, end

    def passed(self, source):
        """The watermark that lateness looks at."""
        return max(source.newest - self.rules.lateness, self.watermark)

    def move(self):
        """The smallest watermark of the active ones, but never back."""
        newest = [source.newest for source in self.sources if source.standing == "active"]
        if newest:
            self.watermark = max(self.watermark, min(newest) - self.rules.lateness)

    def may_take(self, number, backlog):
        """Not more than align ahead of the slowest that has a backlog."""
        slowest = min((self.sources[other].newest for other in backlog), default=-NONE)
        newest = self.sources[number].newest
        return newest == NONE or newest - self.rules.align <= slowest

    def message(self, number, offset, arrival_ms, payment):
        """Judge it, then move. None: invalid."""
        if payment is None:
            return Judgement("invalid")
        if payment.event_ms > arrival_ms + self.rules.max_future:
            return Judgement("future")
        source = self.sources[number]
        source.standing = "active"
        judgement = self.judge(source, payment)
        if judgement.verdict == "accepted":
            self.accept(judgement, payment, number, offset)
        if payment.event_ms > source.newest:
            source.newest = payment.event_ms
        self.move()
        return judgement

    def judge(self, source, payment):
        first = self.memory.get(payment.id)
        if first is not None and self.watermark >= first.event_ms + self.rules.retention:
            first = None
        if payment.event_ms <= self.passed(source):
            judgement = Judgement("late")
            judgement.known_id = first is not None
            return judgement
        if first is None:
            return Judgement("accepted")
        differs = difference(first.content, payment.content())
        judgement = Judgement("duplicate" if differs is None else "conflict")
        judgement.first = first
        judgement.field = differs
        judgement.earlier = payment.event_ms < first.event_ms
        return judgement

    def accept(self, judgement, payment, number, offset):
        self.memory[payment.id] = First(payment, number, offset)
        earlier = self.senders.pop(payment.sender, None)
        if earlier is None:
            earlier = deque(maxlen=VELOCITY_PAYMENTS - 1)  # The one that asks is one of them.
            if len(self.senders) == self.rules.senders_max:
                self.senders.popitem(last=False)
        self.senders[payment.sender] = earlier
        judgement.look_alike = look_alike(earlier, payment)
        judgement.velocity = 1 + count_within(earlier, payment.event_ms, SHORT_MS)
        judgement.count = 1 + count_within(earlier, payment.event_ms, LONG_MS)
        earlier.append(payment)
        judgement.score = self.rules.score(payment, judgement.velocity, judgement.count,
                                           judgement.look_alike)
        judgement.high_risk = judgement.score > self.rules.high_risk_above
        self.count_in_window(payment)

    def count_in_window(self, payment):
        start, end = self.window_at(payment.event_ms)
        own = self.groups.setdefault(start, set())
        group = (payment.region or "", payment.currency)
        if group[0] == OTHER or len(group[0].encode()) > GROUP_TEXT_MAX:
            group = (OTHER, payment.currency)
        elif group not in own:
            if len(own) < self.rules.groups_max:
                own.add(group)
            else:
                group = (OTHER, payment.currency)
        key = (start, *group)
        window = self.windows.get(key)
        if window is None:
            window = self.windows[key] = Window(end, payment)
        window.add(payment)

    def closed(self, window):
        return self.watermark >= window.end


def difference(first, other):
    """The first field of the content that differs, or None."""
    if first == other:
        return None
    return next(name for (name, left), (_, right) in zip(first, other) if left != right)


def count_within(payments, moment, span):
    """Of (moment - span, moment]."""
    least = moment - span
    return sum(1 for payment in payments if least < payment.event_ms <= moment)


def look_alike(earlier, payment):
    """The id of the latest other payment that looks the same, or None."""
    for other in reversed(earlier):
        if (other.id != payment.id and other.receiver == payment.receiver
                and other.currency == payment.currency and other.amount == payment.amount
                and abs(other.event_ms - payment.event_ms) <= LOOK_ALIKE_MS):
            return other.id
    return None
