"""A JSON reader that forgives nothing, and says where it stopped.

Two readers, one answer. `read_slow` walks the bytes one by one and is the rule: RFC 8259 less
duplicate keys, byte order marks and lone surrogates, with the limits of notes/reliability.md 12.
`read` takes Python's own json module where that is known to agree, because a million messages
have to be read in a minute, and asks `read_slow` about everything unusual. A test holds the two
against each other.

A value is a str (a text), a Number (the text of a number as sent), True, False, None, a dict
or a list.
"""
import json

SIZE_MAX = 64 * 1024
DEPTH_MAX = 16
KEYS_MAX = 64


class Refused(Exception):
    """Why a message is not a payment: label of the reason, byte position, our field's name."""

    def __init__(self, reason, position=None, field=None):
        super().__init__(reason, position, field)
        self.reason = reason
        self.position = position
        self.field = field


class Number(str):
    """The text of a JSON number, as sent."""

    __slots__ = ()


END = ("", "")  # In the places: where the outermost object's brace closes.

BLANKS = b" \t\r\n"
ESCAPES = {0x22: '"', 0x5C: "\\", 0x2F: "/", 0x62: "\b", 0x66: "\f", 0x6E: "\n", 0x72: "\r",
           0x74: "\t"}
WORDS = ((b"true", True), (b"false", False), (b"null", None))


class SlowReader:
    """One message, byte by byte.

    Keeps where in the outermost object each value begins (by its key), each key (by the key in
    a tuple), and where the object ends.
    """

    def __init__(self, raw):
        self.raw = raw
        self.at = 0
        self.places = {}

    def peek(self):
        return self.raw[self.at] if self.at < len(self.raw) else -1

    def blanks(self):
        while self.at < len(self.raw) and self.raw[self.at] in BLANKS:
            self.at += 1

    def message(self):
        """The whole of it: exactly one object, and nothing behind."""
        if self.raw[:1] == b"\x00":
            raise Refused("framing", 0)
        if self.raw[:3] == b"\xef\xbb\xbf":
            raise Refused("utf8", 0)
        self.blanks()
        if self.at == len(self.raw):
            raise Refused("empty", 0)
        start = self.at
        value = self.value(1)
        self.places[END] = self.at - 1
        self.blanks()
        if self.at < len(self.raw):
            raise Refused("trailing_bytes", self.at)
        if not isinstance(value, dict):
            raise Refused("not_an_object", start)
        return value

    def value(self, depth):
        first = self.peek()
        if first == 0x7B:
            return self.object(depth)
        if first == 0x5B:
            return self.array(depth)
        if first == 0x22:
            return self.text()
        if first == 0x2D or 0x30 <= first <= 0x39:
            return self.number()
        for word, value in WORDS:
            if first == word[0]:
                return self.word(word, value)
        return self.wrong()

    def word(self, word, value):
        for byte in word:
            if self.peek() != byte:
                self.wrong()
            self.at += 1
        return value

    def wrong(self):
        raise Refused("json", self.at)

    def number(self):
        start = self.at
        if self.peek() == 0x2D:
            self.at += 1
        if self.peek() == 0x30:
            self.at += 1
        else:
            self.digits()
        if self.peek() == 0x2E:
            self.at += 1
            self.digits()
        if self.peek() in (0x65, 0x45):
            self.at += 1
            if self.peek() in (0x2B, 0x2D):
                self.at += 1
            self.digits()
        return Number(self.raw[start:self.at].decode())

    def digits(self):
        if not 0x30 <= self.peek() <= 0x39:
            self.wrong()
        while 0x30 <= self.peek() <= 0x39:
            self.at += 1

    def object(self, depth):
        if depth > DEPTH_MAX:
            raise Refused("depth", self.at)
        self.at += 1
        members = {}
        self.blanks()
        if self.peek() == 0x7D:
            self.at += 1
            return members
        while True:
            self.member(members, depth)
            self.blanks()
            if self.peek() == 0x7D:
                self.at += 1
                return members
            if self.peek() != 0x2C:
                self.wrong()
            self.at += 1
            self.blanks()

    def member(self, members, depth):
        if self.peek() != 0x22:
            self.wrong()
        if len(members) == KEYS_MAX:
            raise Refused("keys", self.at)
        key_at = self.at
        key = self.text()
        if key in members:
            raise Refused("duplicate_key", key_at, key if depth == 1 else None)
        self.blanks()
        if self.peek() != 0x3A:
            self.wrong()
        self.at += 1
        self.blanks()
        if depth == 1:
            self.places[key] = self.at
            self.places[(key,)] = key_at
        members[key] = self.value(depth + 1)

    def array(self, depth):
        if depth > DEPTH_MAX:
            raise Refused("depth", self.at)
        self.at += 1
        values = []
        self.blanks()
        if self.peek() == 0x5D:
            self.at += 1
            return values
        while True:
            values.append(self.value(depth + 1))
            self.blanks()
            if self.peek() == 0x5D:
                self.at += 1
                return values
            if self.peek() != 0x2C:
                self.wrong()
            self.at += 1
            self.blanks()

    def text(self):
        self.at += 1
        parts = []
        while True:
            byte = self.peek()
            if byte == -1:
                raise Refused("json", self.at)
            if byte == 0x22:
                self.at += 1
                return "".join(parts)
            if byte == 0x5C:
                parts.append(self.escape())
            elif byte < 0x20:
                raise Refused("json", self.at)
            elif byte < 0x80:
                parts.append(chr(byte))
                self.at += 1
            else:
                parts.append(self.character())

    def escape(self):
        start = self.at
        self.at += 1
        byte = self.peek()
        if byte in ESCAPES:
            self.at += 1
            return ESCAPES[byte]
        if byte != 0x75:
            raise Refused("json", self.at)
        code = self.four_hex()
        if 0xDC00 <= code <= 0xDFFF:
            raise Refused("utf8", start)
        if 0xD800 <= code <= 0xDBFF:
            if self.raw[self.at:self.at + 2] != b"\\u":
                raise Refused("utf8", start)
            self.at += 1
            low = self.four_hex()
            if not 0xDC00 <= low <= 0xDFFF:
                raise Refused("utf8", start)
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
        return chr(code)

    def four_hex(self):
        """Behind the u at hand."""
        self.at += 1
        for _ in range(4):
            if self.peek() == -1 or self.peek() not in b"0123456789abcdefABCDEF":
                raise Refused("json", self.at)
            self.at += 1
        return int(self.raw[self.at - 4:self.at], 16)

    def check_character(self):
        """Its length, if well-formed: Unicode's table 3-7."""
        first = self.raw[self.at]
        size = 2 if 0xC2 <= first <= 0xDF else 3 if 0xE0 <= first <= 0xEF else \
            4 if 0xF0 <= first <= 0xF4 else 0
        more = self.raw[self.at + 1:self.at + size]
        low, high = {0xE0: (0xA0, 0xBF), 0xED: (0x80, 0x9F), 0xF0: (0x90, 0xBF),
                     0xF4: (0x80, 0x8F)}.get(first, (0x80, 0xBF))
        if (size == 0 or len(more) != size - 1 or not low <= more[0] <= high
                or any(not 0x80 <= byte <= 0xBF for byte in more[1:])):
            raise Refused("utf8", self.at)
        return size

    def character(self):
        size = self.check_character()
        self.at += size
        return self.raw[self.at - size:self.at].decode()


def read_slow(raw):
    """The members of the one object, and where their values begin."""
    if len(raw) > SIZE_MAX:
        raise Refused("message_size", SIZE_MAX)
    reader = SlowReader(raw)
    members = reader.message()
    return members, reader.places


class Unusual(Exception):
    """For read_slow to decide."""


def unusual(_):
    raise Unusual


def object_of(pairs):
    members = dict(pairs)
    if len(members) != len(pairs) or len(members) > KEYS_MAX:
        raise Unusual
    return members


DECODER = json.JSONDecoder(object_pairs_hook=object_of, parse_int=Number, parse_float=Number,
                           parse_constant=unusual)


def read(raw):
    """The members of the one object; places only where read_slow had to be asked."""
    # Flat, plain and short: there the json module's rules are these rules.
    if raw[:1] == b"{" and b"\\" not in raw and raw.count(b"{") + raw.count(b"[") <= DEPTH_MAX:
        try:
            if len(raw) <= SIZE_MAX:
                return DECODER.decode(raw.decode()), None
        except (ValueError, Unusual, RecursionError):
            pass
    return read_slow(raw)
