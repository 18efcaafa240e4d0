"""Programs to begin with: each shows one thing that gradients of tensors do."""

PERCEPTRON = """\
x = data(n, d)
t = classes(n, c)
W1 = parameter(d, h)
b1 = parameter(h)
W2 = parameter(h, c)
b2 = parameter(c)
r = relu(x @ W1 + b1)
z = r @ W2 + b2
cross_entropy(z, t)"""

SOFTMAX = """\
x = data(n, d)
t = classes(n, c)
W = parameter(d, c)
b = parameter(c)
z = x @ W + b
p = softmax(z, dim=1)
cross_entropy(z, t) + 0.1 * sum(p * log(p)) / n"""

LAYER_NORM = """\
x = parameter(n, d)
gain = parameter(d)
bias = parameter(d)
m = mean(x, dim=1, keepdim=True)
v = mean(square(x - m), dim=1, keepdim=True)
s = (x - m) / sqrt(v + 0.00001)
z = s * gain + bias
mean(square(z))"""

ATTENTION = """\
x = data(n, d)
Wq = parameter(d, h)
Wk = parameter(d, h)
Wv = parameter(d, h)
q = x @ Wq
k = x @ Wk
v = x @ Wv
A = softmax(q @ k.T / h ** 0.5, dim=1)
o = A @ v
mean(square(o))"""

CONVOLUTION = """\
x = data(n, 1, s, s)
t = classes(n, c)
w = parameter(f, 1, 3, 3)
bias = parameter(f)
r = relu(conv2d(x, w, bias, padding=1))
p = max_pool2d(r, 2)
W = parameter(f * (s // 2) ** 2, c)
cross_entropy(flatten(p, 1) @ W, t)"""

RESIDUAL = """\
x = data(n, d)
for k in range(depth):
    W = parameter(d, d)
    bias = parameter(d)
    x = x + tanh(x @ W + bias)
mean(square(x))"""

BROADCASTING_BUG = """\
x = data(n, d)
t = data(n)
w = parameter(d, 1)
p = x @ w
e = p - t
mean(square(e))"""
