"""Posits against the formula of the standard and vectors made with SoftPosit."""

import math
from fractions import Fraction

import numpy as np
import pytest

from engine.numbers.arrays import decode_array, encode_array, round_array
from engine.numbers.exact import NumberError, Rounding
from engine.numbers.posit import PositFormat, posit8, posit16

FORMATS = [
    posit8,
    posit16,
    PositFormat("draft 8", 8, 0),
    PositFormat("draft 16", 16, 1),
    PositFormat("odd", 7, 3),
]

# codes by SoftPosit 0.3.4.4, which follows the draft: exponents of 0 bits in posit8 and 1 in posit16
SOFTPOSIT_8 = [
    (1.1690723723117449, 0x45),
    (0.23383707605599877, 0x0F),
    (86.21134565589628, 0x7F),
    (8.194309427896144, 0x78),
    (0.3798203324663576, 0x18),
    (33.805709406041636, 0x7E),
    (0.012982993443207856, 0x01),
    (0.011722512799988555, 0x01),
    (231.96675011594738, 0x7F),
    (2.4910493393281876, 0x64),
    (0.03453708805970743, 0x02),
    (0.8059545376946293, 0x34),
    (14.76845365463095, 0x7B),
    (52.11609773271656, 0x7F),
    (15.281660025953476, 0x7C),
    (5.909794822035204, 0x74),
    (0.006931083369018836, 0x01),
    (4.68928974249045, 0x71),
    (1.4969482763691189, 0x50),
    (0.03553888766877289, 0x02),
    (1.8124922975463803e-05, 0x01),
    (0.044376486445244716, 0x03),
    (132521.5348366906, 0x7F),
    (2369087.5925963395, 0x7F),
    (6.355563968489058e-06, 0x01),
    (1.24932880280455e-08, 0x01),
    (329771.21043541766, 0x7F),
    (319173436.6124342, 0x7F),
    (1.1849757680986268e-05, 0x01),
    (2.9996973939576055, 0x68),
]
SOFTPOSIT_16 = [
    (25.53983690434143, 0x7263),
    (8.284004858569045, 0x6849),
    (59.840116640415204, 0x777B),
    (14.265885435568375, 0x6E44),
    (0.009431262332776946, 0x066A),
    (141.6761908701044, 0x7A37),
    (1.6370079035629752, 0x4A31),
    (0.016568770448757018, 0x083E),
    (0.19371627855031712, 0x1C66),
    (13.593600870548123, 0x6D98),
    (81.23380321371621, 0x788A),
    (0.13653191913054313, 0x18BD),
    (129.63618344655458, 0x7A07),
    (15.184591619249549, 0x6F2F),
    (5.113593769407074, 0x623A),
    (0.020997195467209975, 0x0960),
    (0.8825582481295963, 0x3C3E),
    (0.0440689059746594, 0x0DA4),
    (53.35292495678586, 0x76AB),
    (25.832963649774637, 0x7275),
    (1.2170034526329434e-06, 0x0012),
    (2.2403851165272293e-06, 0x0019),
    (0.07196856853508168, 0x1136),
    (1.9205776599173047e-06, 0x0018),
    (249751.76280829567, 0x7FDE),
    (0.0026324187264935004, 0x0359),
    (788.4048234215495, 0x7D8A),
    (1821392.3340831387, 0x7FF3),
    (8683.794409382257, 0x7F44),
    (2347687.7089920696, 0x7FF4),
]


def by_the_standard(code: int, word: int, exponent_bits: int) -> Fraction:
    """((1 − 3s) + f) · 2^((1 − 2s)(2^es · r + e + s)), from the bits as they are, negative codes too."""
    bits = f"{code:0{word}b}"
    s, rest = int(bits[0]), bits[1:]
    run = len(rest) - len(rest.lstrip(rest[0]))
    r = run - 1 if rest[0] == "1" else -run
    tail = rest[run + 1 :]
    e = int(tail[:exponent_bits].ljust(exponent_bits, "0") or "0", 2)
    fraction = tail[exponent_bits:]
    f = Fraction(int(fraction or "0", 2), 1 << len(fraction))
    return ((1 - 3 * s) + f) * Fraction(2) ** ((1 - 2 * s) * ((r << exponent_bits) + e + s))


@pytest.mark.parametrize("target", FORMATS, ids=lambda target: target.name)
def test_every_code_means_what_the_standard_says(target: PositFormat) -> None:
    for code in target.codes()[:: max(target.word - 8, 1)]:
        if code in (0, target.not_a_real):
            assert str(float(target.decode(code))) == ("0.0" if code == 0 else "nan")
        else:
            assert target.decode(code) == by_the_standard(code, target.word, target.exponent)


@pytest.mark.parametrize(("target", "scale"), [(posit8, 24), (posit16, 56)])
def test_range_by_the_standard(target: PositFormat, scale: int) -> None:
    assert target.largest == 2**scale
    assert target.decode(1) == Fraction(1, 2**scale)
    assert target.finite_count == 2**target.word - 1


@pytest.mark.parametrize(
    ("target", "vectors"),
    [(PositFormat("draft 8", 8, 0), SOFTPOSIT_8), (PositFormat("draft 16", 16, 1), SOFTPOSIT_16)],
    ids=["posit8", "posit16"],
)
def test_rounding_agrees_with_softposit(target: PositFormat, vectors: list[tuple[float, int]]) -> None:
    values, codes = np.array([x for x, _ in vectors]), [code for _, code in vectors]
    assert encode_array(values, target).tolist() == codes
    assert round_array(values, target).tolist() == [float(target.decode(code)) for code in codes]
    assert encode_array(-values, target).tolist() == [-code % (1 << target.word) for code in codes]


def test_nothing_becomes_zero_or_infinite() -> None:
    assert posit8.round(1e-300) == Fraction(1, 2**24)
    assert posit8.round(-1e300) == -(2**24)
    assert math.isnan(posit8.round(math.inf))
    assert posit8.encode(math.nan) == 0x80


def test_numbers_are_their_own_codes_and_directed_modes_their_neighbours() -> None:
    for code in posit8.codes():
        value = posit8.decode(code)
        assert math.isnan(value) or posit8.encode(value) == code
    for place in range(-126, 127):
        below, above = (Fraction(posit8.decode(posit8.at_ordinal(p))) for p in (place, place + 1))
        between = below + (above - below) / 3
        assert posit8.round(between, Rounding.DOWN) == below
        assert posit8.round(between, Rounding.UP) == above
        assert posit8.round(between, Rounding.TOWARD_ZERO) == (below if below >= 0 else above)
        assert posit8.ulp(between) == above - below


def test_decoding_arrays_and_fields() -> None:
    codes = np.arange(256)
    values = decode_array(codes, posit8)
    assert np.isnan(values[0x80])
    assert (np.diff(np.concatenate([values[0x81:], values[:0x80]])) > 0).all()
    assert str(posit16.fields(posit16.encode(3.5))) == "0 10 01 11000000000"
    assert decode_array(np.array([0x40000000]), PositFormat("posit32", 32)).tolist() == [1.0]


@pytest.mark.parametrize("arguments", [(2, 2), (33, 2), (8, 5), (8, -1)])
def test_impossible_posits_are_refused(arguments: tuple[int, int]) -> None:
    with pytest.raises(NumberError, match="3 to 32"):
        PositFormat("impossible", *arguments)
