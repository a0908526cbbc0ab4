"""Operations on vector registers for kernels, where the compiler makes slower code of a loop.

After a change here, touch `filter_kernels`: see `jit`.
"""
from numba.core import types
from numba.extending import intrinsic

LANES = 8  # float32 numbers in a register, a power of 2


def _register(context, builder, kind, array, begin):
    """Type of a register, and a pointer to LANES numbers of a contiguous array of type `kind`."""
    from llvmlite import ir
    lanes = ir.VectorType(ir.FloatType(), LANES)
    data = context.make_array(kind)(context, builder, array).data
    return lanes, builder.bitcast(builder.gep(data, [begin]), lanes.as_pointer())


def _shuffle(builder, first, second, order):
    from llvmlite import ir
    return builder.shuffle_vector(
        first, second, ir.Constant(ir.VectorType(ir.IntType(32), LANES), order))


@intrinsic
def add_scaled(typing, target, t, factor, source, s):
    """target[t:t + LANES] += factor * source[s:s + LANES], in registers and without checks.

    Written as a loop, it is compiled with a test whether the two overlap, and for other lengths.

    Args:
        target, source: contiguous float32 arrays; they do not overlap.
        t, s: uint64, where to begin.
        factor: float32.
    """
    def generate(context, builder, signature, arguments):
        from llvmlite import ir
        target, t, factor, source, s = arguments
        lanes, place = _register(context, builder, signature.args[0], target, t)
        _, other = _register(context, builder, signature.args[3], source, s)
        factors = builder.insert_element(
            ir.Constant(lanes, ir.Undefined), factor, ir.Constant(ir.IntType(32), 0))
        factors = _shuffle(builder, factors, factors, [0] * LANES)
        # numpy aligns to the size of a number only
        added = builder.fmul(factors, builder.load(other, align=4), flags=['contract'])
        added = builder.fadd(builder.load(place, align=4), added, flags=['contract'])
        builder.store(added, place, align=4)
        return context.get_dummy_value()

    return types.void(target, t, factor, source, s), generate
