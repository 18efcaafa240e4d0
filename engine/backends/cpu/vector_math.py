"""draft"""
from __future__ import annotations
import math
from engine.backends.cpu.vector_value import *
INF, NAN = math.inf, math.nan
LOG2_E=math.log2(math.e)
LN2 = math.log(2)
LN2_HIGH, LN2_LOW = 0.693359375, -2.12194440e-4
SHIFT = 1.5*2**23
EXP = (0.49999994,0.16666521,0.04166833,0.008368705,0.0013814569)
EXPM1= (0.49999997,0.16666543,0.04166733,0.00836657,0.0013882387)
LOG=(-0.49999934,0.33333197,-0.25007838,0.20011179,-0.16415969,0.13995805,-0.1538854,0.14026363)

def reduced(x, bias):
    z = fused(x, LOG2_E, SHIFT+bias)
    n = z - (SHIFT+bias)
    r = fused(n, -LN2_HIGH, x)
    r = fused(n, -LN2_LOW, r)
    return z.bits(), r

@compiled_inline(float32)
def exp32(x):
    x = where(x > 89.0, 89.0, x)
    x = where(x < -104.0, -104.0, x)
    n, r = reduced(x, 254)
    p = fused(polynomial(r, *EXP), r*r, r) + 1.0
    half = n >> 1
    return p * (half<<23).from_bits() * ((n-half)<<23).from_bits()

def exp_nonpositive(x):
    """x<=0, x>=-87 normal"""
    n, r = reduced(x, 0)
    p = fused(polynomial(r, *EXP), r*r, r) + 1.0
    return (p.bits() + (n<<23)).from_bits()

def expm1_parts(x, bias=127):
    n, r = reduced(x, bias)
    return fused(polynomial(r, *EXPM1), r*r, r), (n<<23).from_bits()

@compiled_inline(float32)
def expm132(x):
    c = where(x > 89.0, 89.0, x)
    c = where(c < -20.0, -20.0, c)
    p, t = expm1_parts(c, 126)
    y = fused(p, t, t - 0.5)
    return where(abs(x) < 2.0**-25, x, y + y)

@compiled_inline(float32)
def tanh32(x):
    a = abs(x)
    a = where(a > 10.0, 10.0, a)
    p, t = expm1_parts(a + a)
    y = fused(p, t, t - 1.0) / fused(p, t, t+1.0)
    return y.with_sign_of(x)

@compiled_inline(float32)
def sigmoid32(x):
    a = -abs(x)
    a = where(a < -104.0, -104.0, a)
    n, r = reduced(a, 254)
    p = fused(polynomial(r, *EXP), r*r, r) + 1.0
    half = n >> 1
    e = p * (half<<23).from_bits() * ((n-half)<<23).from_bits()
    return where(x < 0.0, e, 1.0) / (e + 1.0)

def log_parts(x):
    ix = x.bits() - 0x3f2aaaab
    e = (ix >> 23).to_float()
    m = ((ix & 0x7fffff) + 0x3f2aaaab).from_bits()
    return e, m - 1.0

def log_finish(e, f):
    return fused(e, LN2, fused(polynomial(f, *LOG), f*f, f))

@compiled_inline(float32)
def log32(x):
    tiny = x < 2.0**-126
    s = where(tiny, x * 2.0**23, x)
    e, f = log_parts(s)
    e = where(tiny, e - 23.0, e)
    y = log_finish(e, f)
    y = where(x > 0.0, y, where(x.equals(0.0), -INF, where(x < 0.0, NAN, x)))
    return where(x < INF, y, x) if 0 else where(x.equals(INF), x, y)

@compiled_inline(float32)
def log1p32(x):
    u = x + 1.0
    k = (u.bits() - 0x3f2aaaab) & -0x800000
    s = (0x40800000 - k)
    f = (x.bits() - k).from_bits() + fused(s.from_bits(), 0.25, -1.0)
    y = log_finish((k>>23).to_float(), f)
    y = where(u > 0.0, y, where(u.equals(0.0), -INF, where(u < 0.0, NAN, u)))
    return where(x < INF, y, x) if 0 else where((abs(x) < 2.0**-25) | x.equals(INF), x, y)

ERF_S=(0.12837914,-0.37612444,0.112813205,-0.026748875,0.0049675116,-0.0005862076)
ERF_L=(0.12850383,0.6357535,0.105215944,-0.022860792,0.0032059252,-0.0002128966)
@compiled_inline(float32)
def erf32(x):
    t = abs(x)
    t = where(t > 4.0, 4.0, t)
    small = fused(polynomial(x*x, *ERF_S), x, x)
    g = fused(polynomial(t, *ERF_L), t, t)
    large = 1.0 - exp_nonpositive(-g)
    return where(t > 0.95, large.with_sign_of(x), small)

SIN=(-0.1666666,0.0083330665,-0.0001980958,2.6057803e-06)
H=float.fromhex
W=[[H(c) for c in r] for r in (['0x1.45f306d000000p-3', '0x1.9391054000000p-32', '0x1.4fe13abe8fa9ap-61'],['0x1.c882a50000000p-39', '0x1.fc2757d000000p-66', '0x1.f534ddc0db629p-98'],['0x1.84eafa3000000p-71', '0x1.d4d3770000000p-100', '0x1.b6c52b3278872p-131'])]
SHIFT64=1.5*2**52
def sincos(x, quarter):
    a = abs(x)
    big, huge = a >= 2.0**59, a >= 2.0**93
    X = x.double()
    def c(k):
        return where(huge, where(big, X*0.0+W[2][k], W[2][k]), where(big, X*0.0+W[1][k], W[0][k]))
    def c(k):
        one = Value(X.builder, X._like(W[1][k]))
        return where(huge, W[2][k], where(big, one, W[0][k]))
    p1 = X * c(0)
    f1 = p1 - p1.rounded()
    if quarter: f1 = f1 + 0.25
    p2 = X * c(1)
    s = f1 + (p2 - p2.rounded())
    s = fused(X, c(2), s)
    z = fused(s, 2.0, SHIFT64)
    f = fused(s, 2.0, SHIFT64 - z)
    r = ((f * math.pi).bits() ^ (z.bits() << 63)).from_bits().single()
    u = r*r
    y = fused(polynomial(u, *SIN), u*r, r)
    return y if quarter else where(a < 2.0**-13, x, y)

@compiled_inline(float32)
def sin32(x): return sincos(x, False)
@compiled_inline(float32)
def cos32(x): return sincos(x, True)
