"""Amounts as payonce reads them against Python's decimal. usage: amounts.py TOOL [SEED [COUNT]]

The tool is asked about generated JSON texts; decimal says what each is worth, to the last digit.
"""
import json
import random
import re
import subprocess
import sys
from decimal import Decimal, InvalidOperation, getcontext

INT64_MAX = 2**63 - 1
SCALE_MAX = 9
PLAIN = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)


def expected(token):
    """Label, and the exact value where there is one."""
    try:
        value = json.loads(token, parse_float=str, parse_int=str, parse_constant=lambda _: 1 / 0)
    except (ValueError, ZeroDivisionError):
        return "json", None
    if value is None:
        return "missing", None
    if not isinstance(value, str):
        return "wrong_type", None
    if PLAIN.fullmatch(value) is None:
        negative = value.startswith("-") and PLAIN.fullmatch(value[1:])
        return ("amount_range" if negative else "amount"), None
    amount = Decimal(value)
    places = -amount.as_tuple().exponent
    if places > SCALE_MAX or amount.scaleb(places) > INT64_MAX:
        return "amount_size", None
    return ("none", amount) if amount > 0 else ("amount_range", None)


def digits(dice, most):
    return "".join(dice.choice("0123456789") for _ in range(dice.randint(1, most)))


def plain(dice):
    size = dice.choice([3, 3, 21])
    whole = dice.choice(["0", digits(dice, size).lstrip("0") or "7"])
    return whole + dice.choice(["", "." + digits(dice, 2), "." + digits(dice, 12)])


def near_limit(dice):
    """Around the largest number of units, at every scale."""
    units, scale = INT64_MAX + dice.randint(-2, 2), dice.randint(0, SCALE_MAX + 1)
    text = str(units)
    return text[:len(text) - scale] + ("." + text[len(text) - scale:] if scale else "")


def token(dice):
    text = dice.choice([plain, plain, near_limit])(dice)
    for _ in range(dice.choice([0, 0, 0, 1, 2])):
        place = dice.randint(0, len(text))
        text = text[:place] + dice.choice("0123456789.-+eE, _x") + text[place + dice.randint(0, 1):]
    if dice.random() < 0.5:
        text = '"' + text + '"'
        if dice.random() < 0.2 and len(text) > 2:
            place = dice.randint(1, len(text) - 2)
            text = text[:place] + "\\u%04x" % ord(text[place]) + text[place + 1:]
    return text


def main():
    tool, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 50000
    dice = random.Random(seed)
    getcontext().prec = 200
    fixed = ["null", "true", "[]", "{}", '""', '"."', "0", "0.0", "-0", "1", "1.", ".1", "01",
             "NaN", '"NaN"', '"Infinity"', "1e3", '"1e3"', "0.000000001", "0.0000000001",
             '"\\u0031"', '"\\uff11"', '"\u0661"']
    tokens = fixed + [token(dice) for _ in range(count)]
    answers = subprocess.run([tool], input="\n".join(tokens) + "\n", stdout=subprocess.PIPE,
                             check=True, encoding="utf-8").stdout.split("\n")
    failed, taken = 0, 0
    for text, answer in zip(tokens, answers):
        label, units, scale, *kept = answer.split(" ")
        want, amount = expected(text)
        right = label == want
        if right and label == "none":
            taken += 1
            exact = Decimal(int(units)).scaleb(-int(scale))
            right = exact == amount and exact.as_tuple() == amount.as_tuple() and kept == [
                json.loads(text, parse_float=str, parse_int=str)]
        if not right:
            failed += 1
            print("seed %d: %s: %s, not %s %s" % (seed, text, answer, want, amount))
    print("seed %d: %d amounts, %d of them taken, each exactly" % (seed, len(tokens), taken))
    print("%d passed, %d failed" % (len(tokens) - failed, failed))
    return 1 if failed or len(answers) != len(tokens) + 1 or taken < count // 10 else 0


if __name__ == "__main__":
    sys.exit(main())
