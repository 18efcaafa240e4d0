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
    y = where(y > 1.0, 1.0, y)
    y=where(y < -1.0, -1.0, y)
    return y if quarter else where(a < 2.0**-13, x, y)

@compiled_inline(float32)
def sin32(x): return sincos(x, False)
@compiled_inline(float32)
def cos32(x): return sincos(x, True)
W2=[(0.3183098861837907,-1.9678676675182486e-17),(1.284127663345183e-08, -2.7170920538718753e-25),(1.46854777018591e-16, 5.090832193749855e-33),(3.037013244824923e-24, 1.5718273777458022e-40)]
SIN=(-0.1666665,0.008332821,-0.00019792638,2.5704264e-06)
def sincos2(x, quarter):
    a = abs(x)
    X = x.double()
    w1,w2,w3 = a >= 2.0**50, a >= 2.0**76, a>=2.0**102
    def c(k):
        one = Value(X.builder, X._like(W2[1][k]))
        return where(w3, W2[3][k], where(w2, W2[2][k], where(w1, one, W2[0][k])))
    c1, c2 = c(0), c(1)
    if quarter:
        z = fused(X, c1, -0.5) + SHIFT64
        n = (z - SHIFT64) + 0.5
    else:
        z = fused(X, c1, SHIFT64)
        n = z - SHIFT64
    f = fused(X, c2, fused(X, c1, -n))
    r = ((f * (-math.pi if quarter else math.pi)).bits() ^ (z.bits() << 63)).from_bits().single()
    u = r*r
    y = fused(polynomial(u, *SIN), u*r, r)
    y = where(y > 1.0, 1.0, y)
    y=where(y < -1.0, -1.0, y)
    return y if quarter else where(a < 2.0**-13, x, y)

@compiled_inline(float32)
def sin32(x): return sincos2(x, False)
@compiled_inline(float32)
def cos32(x): return sincos2(x, True)

LOG2=[1.4426950408923305, -0.7213475195693069, 0.48089834396169207, -0.36067397861598294, 0.2885394417264269, -0.2404336603682585, 0.20607597368703978, -0.18080606480096054, 0.16089122503924055, -0.1374610937796219, 0.12356282905146163, -0.1661053074633714, 0.1575417315941939]
EXP2=(0.6931472,0.24022646,0.05550345,0.00961854,0.0013398947,0.00015353362)
@compiled_inline(float32)
def pow32(x, y):
    a = abs(x)
    tiny = a < 2.0**-126
    e, f = log_parts(where(tiny, a * 2.0**23, a))
    e = where(tiny, e - 23.0, e)
    e = where(a.equals(0.0), -INF, where(a < INF, e, a))
    K=6
    h = polynomial(f, *LOG2[K:]).double()
    f = f.double()
    t = fused(f, polynomial(f, *LOG2[:K], h), e.double()) * y.double()
    t = where(t > 129.0, 129.0, t)
    t = where(t < -151.0, -151.0, t)
    z = t + (SHIFT64 + 254)
    g = (t - (z - (SHIFT64 + 254))).single()
    n = Value(x.builder, x.builder.trunc(z.bits().llvm, ir.IntType(32)))
    p = fused(polynomial(g, *EXP2), g, 1.0)
    half = n >> 1
    r = p * (half<<23).from_bits() * ((n-half)<<23).from_bits()
    r = where(a.equals(1.0) | y.equals(0.0), 1.0, r)
    hy = y * 0.5
    odd = y.rounded().equals(y) 
    even = hy.rounded().equals(hy)
    neg = x.bits() < 0
    sign = where(even , x.bits() & 0, x.bits() & -0x80000000)
    r = where((x < 0.0) & (y.rounded() < y) , NAN, r)
    return (r.bits() | sign).from_bits()

R_=( 0.48089835,-0.3606713,0.28853387,-0.24183115,0.20780672)
TAB=((1.25,-0.3218994140625,-2.8680824e-05,0.8421052631578947),(1.125,-0.169921875,-3.1264424e-06,0.9411764705882353),(1.0,0.0,0.0,1.0666666666666667),(0.875,0.192626953125,1.8124818e-05,1.2307692307692308),(0.75,0.4150390625,-1.5632212e-06,None))
A=(1.442695,1.925963e-08)
B=(-0.7213475,-9.629815e-09)
def const(like, v): return Value(like.builder, like._like(v))
def pow_(x, y):
    a = abs(x)
    tiny = a < 2.0**-126
    s = where(tiny, a * 2.0**23, a)
    ix = s.bits() - 0x3f3a2e8c
    e = (ix >> 23).to_float()
    m = ((ix & 0x7fffff) + 0x3f3a2e8c).from_bits()
    e = where(tiny, e - 23.0, e)
    e = where(a.equals(0.0), -INF, where(a < INF, e, a))
    cols=[const(m, TAB[4][k]) for k in range(3)]
    for r0 in reversed(TAB[:4]):
        c = m < r0[3]
        cols=[where(c, r0[k], cols[k]) for k in range(3)]
    r, lh, ll = cols
    f = fused(m, r, -1.0)
    q = f * polynomial(f, *R_)
    qh = q + B[0]
    ql = (q - (qh - B[0])) + B[1]
    ph = f * qh
    pl = fused(f, ql, fused(f, qh, -ph))
    sh = ph + A[0]
    sl = (ph - (sh - A[0])) + (pl + A[1])
    th = f * sh
    tl = fused(f, sl, fused(f, sh, -th))
    E = e + lh
    Lh = E + th
    Ll = (th - (Lh - E)) + (tl + ll)
    y_ = where(y > 2.0**33, 2.0**33, y)
    y_ = where(y_ < -2.0**33, -2.0**33, y_)
    t = y_ * Lh
    tl = fused(y_, Ll, fused(y_, Lh, -t))
    tl = where(abs(t) < 160.0, tl, 0.0)
    t = where(t > 129.0, 129.0, t)
    t = where(t < -151.0, -151.0, t)
    z = t + (SHIFT + 254)
    g = (t - (z - (SHIFT + 254))) + tl
    n = z.bits()
    p = fused(polynomial(g, *EXP2), g, 1.0)
    half = n >> 1
    r = p * (half<<23).from_bits() * ((n-half)<<23).from_bits()
    r = where(a.equals(1.0) | y.equals(0.0), 1.0, r)
    hy = y * 0.5
    even = hy.rounded().equals(hy)
    sign = where(even , x.bits() & 0, x.bits() & -0x80000000)
    r = where((x < 0.0) & (a < INF) & (y.rounded()-y < 0.0) , NAN, r)
    return (r.bits() | sign).from_bits()
pow32 = compiled_inline(float32)(pow_)
