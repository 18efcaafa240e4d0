/* A product of two square matrices of floats, by loops in one order; cachegrind counts what they miss.
 *
 * Every product reads out, a and b and writes out, in this order: no number of a matrix is kept in a register,
 * and all that counts the loops is, for which sizes are constants. The matrices lie one after the other, each
 * from the beginning of a cache line, as in the simulator that is compared. */

#include <stdlib.h>
#include <string.h>

#define BODY                                                                                  \
    {                                                                                         \
        float before = out[i * SIDE + j];                                                     \
        float left = a[i * SIDE + k];                                                         \
        float right = b[k * SIDE + j];                                                        \
        out[i * SIDE + j] = before + left * right;                                            \
    }
#define EACH(x) for (long x = 0; x < SIDE; x++)
#define NEST(name, first, second, third)                                                      \
    __attribute__((noinline)) static void nest_##name(FLOATS a, FLOATS b, FLOATS out)         \
    {                                                                                         \
        EACH(first) EACH(second) EACH(third) BODY                                             \
    }

typedef volatile float *FLOATS;

NEST(ijk, i, j, k)
NEST(ikj, i, k, j)
NEST(jik, j, i, k)
NEST(jki, j, k, i)
NEST(kij, k, i, j)
NEST(kji, k, j, i)

int main(int count, char **words)
{
    if (count != 2)
        return 2;
    const char *order = words[1];
    const long line = LINE / sizeof(float), matrix = (SIDE * SIDE + line - 1) / line * line;
    float *memory = aligned_alloc(1 << 20, 1 << 20); /* any set of any cache begins here */
    FLOATS a = memory, b = memory + matrix, out = memory + 2 * matrix;
    if (!strcmp(order, "ijk")) nest_ijk(a, b, out);
    else if (!strcmp(order, "ikj")) nest_ikj(a, b, out);
    else if (!strcmp(order, "jik")) nest_jik(a, b, out);
    else if (!strcmp(order, "jki")) nest_jki(a, b, out);
    else if (!strcmp(order, "kij")) nest_kij(a, b, out);
    else nest_kji(a, b, out);
    return 0;
}
