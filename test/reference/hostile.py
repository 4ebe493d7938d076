"""Lines that are hardly, or not at all, a payment. After JSONTestSuite's y_, n_ and i_ cases."""
import functools

WHOLE = (b'{"transaction_id":"h-1","sender_account_id":"S","receiver_account_id":"R",'
         b'"amount":1.25,"currency":"USD","timestamp":1700000000000,"region":"EU"}')


def with_value(key, value):
    """WHOLE with another value of this key."""
    start = WHOLE.index(b'"' + key + b'":') + len(key) + 3
    ends = [WHOLE.find(end, start) for end in (b',"', b"}")]
    end = min(place for place in ends if place != -1)
    return WHOLE[:start] + value + WHOLE[end:]


def with_more(text):
    return WHOLE[:-1] + b"," + text + b"}"


AMOUNTS = [b"0", b"0.0", b"-0", b"-1", b"-1.5", b"+1", b"01", b"1.", b".5", b"1e3", b"1E-2",
           b"1.5e1", b"NaN", b"Infinity", b"-Infinity", b'"1.25"', b'"1,25"', b'""', b'" 1"',
           b'"-1"', b'"1e3"', b'"0.00"', b"null", b"true", b"[]", b"{}", b"[1]", b"1.1234567890",
           b"1.123456789", b"9223372036854775808", b"9223372036854775807", b"99999999999999999999",
           b"922337203685477580.8", b"1.0000000000", b"0x10", b"1_000", b"0.000000001",
           b"0.0000000001", b"1.25 ", b" 1.25", b"1 .25", b"--1", b"1-", b"0.5"]
TIMES = [b"0", b"1", b"-1700000000000", b"1700000000", b"1700000000000", b"1700000000000000",
         b"1700000000000000000", b"1700000000.5", b"1.7e12", b"946684799", b"946684800",
         b"946684799999", b"946684800000", b"4133980799", b"4133980800", b"4133980799999",
         b"4133980800000", b"4133980800000000", b"4133980799999999", b"9223372036854775807",
         b"18446744073709551616", b'"1700000000000"', b'"2023-11-14T22:13:20Z"',
         b'"2023-11-14 22:13:20Z"', b'"2023-11-14t22:13:20z"', b'"2023-11-14T22:13:20"',
         b'"2023-11-14T22:13:60Z"',
         b'"2016-12-31T23:59:60Z"', b'"2023-02-29T00:00:00Z"', b'"2024-02-29T00:00:00Z"',
         b'"2100-02-29T00:00:00Z"', b'"2000-02-29T00:00:00Z"', b'"2023-13-01T00:00:00Z"',
         b'"2023-00-01T00:00:00Z"', b'"2023-01-00T00:00:00Z"', b'"2023-01-01T24:00:00Z"',
         b'"2023-01-01T00:60:00Z"', b'"2023-11-14T22:13:20.1Z"', b'"2023-11-14T22:13:20.Z"',
         b'"2023-11-14T22:13:20.123456789Z"', b'"2023-11-14T22:13:20.1234567890Z"',
         b'"2023-11-14T22:13:20+05:30"', b'"2023-11-14T22:13:20-00:00"',
         b'"2023-11-14T22:13:20+24:00"', b'"2023-11-14T22:13:20+05:60"',
         b'"2023-11-14T22:13:20+0530"', b'"2023-11-14T22:13Z"', b'"2023-11-14"', b'"now"', b'""',
         b'"1999-12-31T23:59:59Z"', b'"2100-12-31T23:59:59.999Z"', b'"2101-01-01T00:00:00Z"',
         b"true", b"[]", b"{}", b'" 2023-11-14T22:13:20Z"', b'"2023-11-14T22:13:20Z "',
         b'"2023-11-14T22:13:20\\u005a"']
IDS = [b'""', b"1", b"null", b"true", b"[]", b"{}", b'"' + b"x" * 128 + b'"',
       b'"' + b"x" * 129 + b'"', b'"\\u0068-1"', b'"h\\u002d1"', b'"\\ud83d\\udcb8"', b'"\\ud83d"',
       b'"\\udcb8"', b'"\\ud83d\\u0041"', b'"\\ud83dx"', b'"\\u0000"', b'"a\\u0000b"', b'"a\tb"',
       b'"a\\tb"', b'"\x7f"', b'"\x00"', b'"\\x41"', b'"\\u12"', b'"\\u123g"', b'"\\"', b'"open',
       b'"\xc3\xa9"', b'"\xc3"', b'"\xc3("', b'"\xe2\x82\xac"', b'"\xe2\x82"', b'"\xed\xa0\x80"',
       b'"\xc0\x80"', b'"\xc1\xbf"', b'"\xe0\x80\x80"', b'"\xf0\x9f\x92\xb8"',
       b'"\xf0\x80\x80\x80"', b'"\xf4\x8f\xbf\xbf"', b'"\xf4\x90\x80\x80"', b'"\xf5\x80\x80\x80"',
       b'"\x80"', b'"\xff"', b'"\xef\xbb\xbf"', b'"\xef\xbf\xbf"', b'"\xc2\x80"',
       b'"' + b"\xc3\xa9" * 64 + b'"', b'"' + b"\xc3\xa9" * 64 + b'x"', b"'h-1'"]
CURRENCIES = [b'"usd"', b'"US"', b'"USDT"', b'"U$D"', b'""', b"1", b"null", b'"\xc3\x9cSD"',
              b'"EUR"', b'"\\u0055SD"', b'"USD "', b"[]"]
REGIONS = [b"1", b"1.5", b"true", b"null", b"[]", b"{}", b'["EU"]', b'""', b'"' + b"r" * 64 + b'"',
           b'"' + b"r" * 65 + b'"', b'"' + b"r" * 4096 + b'"', b'"' + b"r" * 4097 + b'"',
           b'"4111111111111111"', b'"4111 1111 1111 1111"', b'"4111-1111-1111-1112"',
           b'"x4111111111111111y"', b'"41111111111111111111"', b'"0000000000000"', b'"\\n"',
           # Check digits that are right: numbers some network gives out, and others.
           b'"2221000000000009"', b'"2720000000000005"', b'"340000000000009"', b'"370000000000002"',
           b'"6011000000000004"', b'"3528000000000007"', b'"30000000000004"',
           b'"62000000000000000"', b'"5000000000005"', b'"4000000000000000006"',
           b'"2220000000000000"', b'"2721000000000004"', b'"350000000000006"',
           b'"3590000000000000"', b'"1800000000000000002"', b'"30600000000001"',
           b'"59000000000000006"', b'"9000000000001"', b'"400000000000000002"', b'"40000000000002"']
PLAIN = [b"", b" ", b"\t \r", b"{}", b"[]", b"null", b"true", b"1", b'"x"', b"{", b"}", b"[", b"]",
         b"[1", b"{]", b'{"a"', b'{"a":', b'{"a":1', b'{"a":1,', b'{"a":1,}', b"{,}", b'{"a" 1}',
         b'{"a":1 "b":2}', b"{a:1}", b"{'a':1}", b'{"a":1}{', b'{"a":1}x', b'{"a":tru}',
         b'{"a":nul', b'{"a":TRUE}', b'{"a":[1,]}', b'{"a":[,1]}', b'{"a":[1 2]}', b"nulls",
         b"\xef\xbb\xbf" + WHOLE, b"\x00", b"\x00\x00\x00\x00\x07" + WHOLE, b"\xff", b"\xfe\xff",
         WHOLE + b" ", b" " + WHOLE, WHOLE + b",", WHOLE + b"x", WHOLE + WHOLE, b"[" + WHOLE + b"]",
         WHOLE + b"\x00", WHOLE[:-1], WHOLE[:-2], WHOLE[1:], b"\x0b" + WHOLE, b"\xc2\xa0" + WHOLE,
         b"/**/" + WHOLE, WHOLE + b"//", b'"' + WHOLE + b'"', b"\x1f\x8b\x08", b"<xml/>",
         b"0" * 70000, b"[" * 20, b"[" * 100000, b'{"a":' * 20, b"{" + b" " * 65600]


def nested(levels):
    return with_more(b'"deep":' + b"[" * (levels - 1) + b"1" + b"]" * (levels - 1))


@functools.cache
def lines():
    """All of them."""
    made = list(PLAIN)
    for key, values in ((b"amount", AMOUNTS), (b"timestamp", TIMES), (b"transaction_id", IDS),
                        (b"sender_account_id", IDS), (b"receiver_account_id", IDS[:8]),
                        (b"currency", CURRENCIES), (b"region", REGIONS)):
        made += [with_value(key, value) for value in values]
    made += [nested(levels) for levels in (2, 15, 16, 17, 18, 40)]
    made += [with_more(b'"deep":' + b'{"x":' * (levels - 1) + b"1" + b"}" * (levels - 1))
             for levels in (2, 16, 17)]
    for count in (56, 57, 58, 59):  # 7 keys are there already.
        made.append(with_more(b",".join(b'"k%d":0' % key for key in range(count))))
        made.append(with_more(b'"o":{' + b",".join(b'"k%d":0' % key for key in range(count + 7))
                              + b"}"))
    made += [with_more(text) for text in (
        b'"amount":2', b'"amount":null', b'"a":1,"a":1', b'"a":1,"\\u0061":2', b'"o":{"a":1,"a":2}',
        b'"o":[{"a":1,"b":2,"a":3}]', b'"o":{"a":{"a":{"a":1}}}', b'"":1,"":2', b'"":1',
        b'"cvv":1,"cvv":2', b'"status":"a","status":"b"', b'"credit_card":1,"credit_card":2',
        b'"event_time":1700000001000', b'"event_time":null', b'"event_time":"x"', b'"sender":"T"',
        b'"credit_card":"4111111111111111"', b'"cvv":123', b'"note":"4111111111111111"',
        b'"long":"' + b"z" * 4097 + b'"', b'"' + b"k" * 5000 + b'":1', b'"n":1e999', b'"n":-0',
        b'"n":01', b'"n":1.', b'"n":-', b'"s":"\\ud800"', b'"s":"\\u0000"', b'"s":"\xff"',
        b'"s":"\x01"', b'"status":"SUCCESS"', b'"status":"FAILED"', b'"status":7',
        b'"status":["SUCCESS"]', b'"t":true,"f":false,"z":null', b'"device_id":{"a":1}')]
    for size in (65534, 65535, 65536, 65537, 70000):
        made.append(WHOLE + b" " * (size - len(WHOLE)))
    return [line for line in made if b"\n" not in line]
