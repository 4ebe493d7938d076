#!/usr/bin/env python3
"""The reference itself: its two readers agree, and it gives the verdicts written down here."""
import random
import unittest

import instants
from boundaries import Boundaries
from hostile import lines, with_more, with_value
from judge import Judge, VELOCITY_PAYMENTS
from payments import Parser, excerpt, mask_cards
from rules import Rules
from settings import load
from strict_json import Refused, read, read_slow


def outcome(reader, raw):
    try:
        return reader(raw)[0]
    except Refused as refused:
        return (refused.reason, refused.position)


class Readers(unittest.TestCase):
    def agree(self, raw):
        self.assertEqual(outcome(read, raw), outcome(read_slow, raw), raw[:200])

    def test_agree_on_hostile_lines(self):
        for line in lines():
            self.agree(line)

    def test_agree_on_every_cut_and_every_changed_byte(self):
        whole = with_more(b'"o":{"a":[1,true,null]},"e":"\xc3\xa9\\n","n":-1.5e3')
        dice = random.Random(1)
        for place in range(len(whole)):
            self.agree(whole[:place])
            for byte in (0, 0x22, 0x2C, 0x30, 0x5C, 0x7B, 0x7D, 0x80, 0xFF, dice.randrange(256)):
                self.agree(whole[:place] + bytes([byte]) + whole[place + 1:])

    def test_agree_on_generated_inputs(self):
        for seed in range(20):
            boundaries = Boundaries(seed)
            boundaries.make()
            for line in sum(boundaries.files, []):
                self.agree(line)


class Reading(unittest.TestCase):
    def reason(self, line):
        try:
            Parser(load({})).parse(line)
            return None
        except Refused as refused:
            return refused.reason

    def test_names_the_reason(self):
        for key, value, reason in (
                (b"amount", b"0.00", "amount_range"), (b"amount", b"1e3", "amount"),
                (b"amount", b"9223372036854775808", "amount_size"),
                (b"amount", b"9223372036854775807", None), (b"currency", b'"usd"', "currency"),
                (b"timestamp", b"946684799", "event_time"), (b"timestamp", b"946684800", None),
                (b"transaction_id", b"7", "wrong_type"), (b"transaction_id", b'""', "identifier"),
                (b"transaction_id", b"null", "missing"), (b"amount", b"NaN", "json")):
            self.assertEqual(self.reason(with_value(key, value)), reason, (key, value))

    def test_takes_sixteen_levels_and_not_seventeen(self):
        self.assertIsNone(self.reason(with_more(b'"d":' + b"[" * 15 + b"]" * 15)))
        self.assertEqual(self.reason(with_more(b'"d":' + b"[" * 16 + b"]" * 16)), "depth")

    def test_cuts_times_to_milliseconds(self):
        self.assertEqual(instants.from_number("1700000000123999"), 1700000000123)
        self.assertEqual(instants.from_text("2023-11-14T22:13:20.1239Z"), 1700000000123)
        self.assertEqual(instants.from_text("2023-11-15T03:43:20+05:30"), 1700000000000)
        self.assertIsNone(instants.from_text("2023-11-14T22:13:60Z"))

    def test_masks_cards_and_nothing_else(self):
        self.assertEqual(mask_cards("a 4111 1111-11111111 b"), "a **** ****-****1111 b")
        self.assertEqual(mask_cards("4111111111111112"), "4111111111111112")
        self.assertEqual(mask_cards("2023-11-14 22:13"), "2023-11-14 22:13")
        for number in ("2221000000000009", "2720000000000005", "340000000000009", "370000000000002"):
            self.assertEqual(self.reason(with_value(b"transaction_id", b'"%s"' % number.encode())),
                             "identifier", number)
        for number in ("2220000000000000", "2721000000000004", "350000000000006", "3590000000000000"):
            self.assertIsNone(self.reason(with_value(b"transaction_id",
                                                     b'"%s"' % number.encode())), number)
            self.assertNotEqual(mask_cards(number), number)
        self.assertEqual(excerpt(b"a1\x00\xff"), "a#??")


class Told(unittest.TestCase):
    """Stories: (source, id, event time in seconds) and the verdict."""

    def setUp(self):
        self.settings = {"watermark": {"lateness": "10s", "max_future": "5s"},
                         "dedup": {"retention": "20s"}}
        self.judge = None

    def start(self, sources):
        self.judge = Judge(Rules(load(self.settings)))
        self.parser = Parser(load(self.settings))
        for _ in range(sources):
            self.judge.join()

    def tell(self, ident, seconds, source=0, amount="1.00"):
        line = (f'{{"transaction_id":"{ident}","sender":"S","receiver":"R","amount":{amount},'
                f'"currency":"USD","event_time":{1700000000000 + int(seconds * 1000)}}}')
        arrival = 1700000000000 + 1000 * 1000
        return self.judge.message(source, 1, arrival, self.parser.parse(line.encode()))

    def test_the_watermark_itself_is_late(self):
        self.start(1)
        self.assertEqual(self.tell("a", 100).verdict, "accepted")
        self.assertEqual(self.tell("b", 90.001).verdict, "accepted")
        self.assertEqual(self.tell("c", 90).verdict, "late")
        self.assertTrue(self.tell("a", 90).known_id)

    def test_an_id_is_forgotten_when_the_watermark_reaches_its_retention(self):
        self.start(1)
        self.tell("a", 100)
        self.tell("b", 129.999)  # G = 119.999
        self.assertEqual(self.tell("a", 125).verdict, "duplicate")
        self.tell("c", 130)  # G = 120 = 100 + 20
        self.assertEqual(self.tell("a", 125).verdict, "accepted")

    def test_the_slowest_source_holds_the_memory(self):
        self.start(2)
        self.tell("a", 100, source=0)
        self.tell("b", 500, source=0)
        self.assertEqual(self.tell("a", 495, source=0).verdict, "duplicate")
        self.assertEqual(self.tell("a", 100, source=1, amount="2").verdict, "conflict")
        self.judge.note_standing(1, "idle")
        self.assertEqual(self.tell("a", 495, source=0).verdict, "accepted")
        self.assertEqual(self.tell("c", 490, source=1).verdict, "late")

    def test_a_topic_made_anew_brings_no_id_and_no_watermark_of_its_own(self):
        self.start(1)
        self.tell("a", 100)
        anew = self.judge.adopt(0)
        self.assertEqual(self.tell("a", 99, source=anew).verdict, "duplicate")
        self.assertEqual(self.tell("b", 90, source=anew).verdict, "late")
        self.tell("c", 500, source=anew)  # What ended holds nothing.
        self.assertEqual(self.judge.watermark, 1700000000000 + 490 * 1000)

    def test_future_moves_nothing(self):
        self.start(1)
        self.assertEqual(self.tell("a", 1005).verdict, "accepted")
        self.assertEqual(self.tell("b", 1005.001).verdict, "future")
        self.assertEqual(self.tell("b", 1005.001).verdict, "future")
        self.assertEqual(self.tell("c", 995.001).verdict, "accepted")

    def test_content_is_compared_by_value(self):
        self.start(1)
        self.tell("a", 100, amount="10.5")
        self.assertEqual(self.tell("a", 99, amount="10.50").verdict, "duplicate")
        judgement = self.tell("a", 99, amount="10.51")
        self.assertEqual((judgement.verdict, judgement.field), ("conflict", "amount"))

    def test_velocity_counts_the_payment_itself_and_saturates(self):
        self.start(1)
        self.assertEqual(self.tell("p0", 100).velocity, 1)
        self.assertEqual(self.tell("p1", 159.999).velocity, 2)
        self.assertEqual(self.tell("p2", 160).velocity, 2)
        for number in range(100):
            judgement = self.tell(f"q{number}", 160)
        self.assertEqual(judgement.velocity, VELOCITY_PAYMENTS)

    def test_a_look_alike_is_another_id_within_a_minute(self):
        self.start(1)
        self.tell("a", 100)
        self.assertEqual(self.tell("b", 160).look_alike, "a")
        self.assertIsNone(self.tell("c", 220.001).look_alike)


if __name__ == "__main__":
    unittest.main()
