"""Programs to begin with: where fusion pays, and three where it does not."""

BIAS_TANH = """\
x = data(n, d)
b = data(d)
tanh(x + b)"""

GELU = """\
x = data(n, d)
u = 0.7978845608 * (x + 0.044715 * x * x * x)
0.5 * x * (1 + tanh(u))"""

SOFTMAX = """\
x = data(n, d)
m = amax(x, dim=1, keepdim=True)
e = exp(x - m)
e / sum(e, dim=1, keepdim=True)"""

LAYER_NORM = """\
x = data(n, d)
gain = data(d)
shift = data(d)
m = sum(x, dim=1, keepdim=True) / d
c = x - m
v = sum(c * c, dim=1, keepdim=True) / d
c / sqrt(v + 0.00001) * gain + shift"""

CHAIN = """\
x = data(n)
a = data(n)
b = data(n)
for i in range(k):
    x = x * a + b
x"""

SUM_OF_SQUARES = """\
x = data(n)
sum(x * x)"""

REPEATED = """\
x = data(n, d)
y = exp(x) / (1 + exp(x))
unused = sqrt(y + 1)
y * (1 - y)"""

ATTENTION = """\
q = data(n, d)
k = data(n, d)
s = q @ k.T / d ** 0.5
m = amax(s, dim=1, keepdim=True)
e = exp(s - m)
e / sum(e, dim=1, keepdim=True)"""

PERCEPTRON = """\
x = data(n, d)
t = data(n, 1)
W1 = parameter(d, h)
b1 = parameter(h)
W2 = parameter(h, 1)
b2 = parameter(1)
r = tanh(x @ W1 + b1)
y = r @ W2 + b2
mean(square(y - t))"""

PRODUCT = """\
x = data(n, n)
W = data(n, n)
b = data(n)
relu(x @ W + b)"""
