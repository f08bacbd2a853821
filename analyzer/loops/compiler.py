"""What numba makes of a loop: an object file that needs nothing but the C library.

numba is imported here and nowhere else, and so only where a loop is compiled for the first time on a machine.

This module must not know what any loop computes, or where compiled code is kept.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from llvmlite import binding as llvm
from llvmlite import ir
from numba.core import cgutils, config
from numba.core.compiler import DEFAULT_FLAGS, compile_extra
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from analyzer.loops.haste import in_haste
from analyzer.loops.linking import PARTS_VARIABLE
from analyzer.loops.pipeline import LoopCompiler

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from analyzer.untyped import Foreign

setattr(config, "_config_fname", os.devnull)  # noqa: B010 - numba looks for .numba_config.yaml at each compilation, too


def inner(twin: Foreign, *, apart: bool = False) -> Foreign:
    """Return a function as other loops call it: inlined, or ``apart``."""
    options: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "pipeline_class": LoopCompiler}
    return numba.njit(twin, nogil=True, forceinline=not apart, **options)


def compiled(twin: Foreign, args: tuple[Any, ...], outside: AbstractSet[str]) -> tuple[dict[str, Any], bytes] | None:
    """Compile a function for arguments like these.

    Returns what ``machine`` must know to call it (``symbol``; ``results``: how many ints come back, 0 for one that is
    no tuple, -1 for nothing), and the object file; None if that would need more than what ``outside`` names.
    """
    flags = DEFAULT_FLAGS.copy()
    flags.nrt = flags.release_gil = True
    flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    types = [_type_of(arg) for arg in args]
    typing, target = cpu_target.typing_context, cpu_target.target_context
    typing.refresh()
    target.refresh()
    with in_haste():
        made = compile_extra(typing, target, twin, types, None, flags, {}, pipeline_class=LoopCompiler)
    result = made.signature.return_type
    if result == numba.types.none:
        results = -1
    elif result == numba.int64:
        results = 0
    elif isinstance(result, numba.types.UniTuple) and result.dtype == numba.int64:
        results = len(result)
    else:
        raise AssertionError(f"{twin.__name__} returns {result}; loops return int64s or nothing")
    module = made.library._final_module  # noqa: SLF001 - numba has no other way to the module
    wanted = {each.name for each in (*module.functions, *module.global_variables) if each.is_declaration}
    if not all(name.startswith("llvm.") or name in outside for name in wanted):
        return None
    codegen = made.library._codegen  # noqa: SLF001
    code = codegen._tm.emit_object(module)  # noqa: SLF001
    if folder := os.environ.get(PARTS_VARIABLE):
        _put_part(Path(folder), codegen, module)
    return {"symbol": made.fndesc.llvm_func_name, "results": results}, code


def _put_part(folder: Path, codegen: Foreign, module: Foreign) -> None:
    """Put machine code of a module into a folder, as a shared library takes it: it may lie anywhere (``library``)."""
    processor, features = codegen._get_host_cpu_name(), codegen._tm_features  # noqa: SLF001 - as numba's own is made
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(
        cpu=processor, features=features, opt=vars(config)["OPT"], reloc="pic", codemodel="small"
    )
    code = machine.emit_object(module)
    (folder / f"{hashlib.sha256(code).hexdigest()}.o").write_bytes(code)


def put_stand_in(folder: Path, name: str) -> None:
    """Put a function into such a folder that a library must have because loops name it, though none ever calls it."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(reloc="pic", codemodel="small")
    text = f"declare void @llvm.trap()\ndefine void @{name}(i8* %0) {{\n  call void @llvm.trap()\n  unreachable\n}}\n"
    (folder / f"{name}.o").write_bytes(machine.emit_object(llvm.parse_assembly(text)))


def _type_of(arg: Foreign) -> Foreign:
    """Return numba's type of an argument; every int is an int64."""
    if isinstance(arg, bool | np.bool_):
        return numba.boolean
    return numba.int64 if isinstance(arg, int) else numba.typeof(arg)


def with_numba(twin: Foreign) -> Foreign:
    """Return a function as numba itself calls it; compiled anew in every process, as its cache is one of pickles."""
    return numba.njit(twin, nogil=True)


def make_prefetch() -> Foreign:
    """Return the intrinsic behind ``loop.prefetch``."""

    def prefetch(_: Foreign, table: Foreign, index: Foreign, octets: Foreign) -> Foreign:  # noqa: ARG001 - numba's form
        def emit(context: Foreign, builder: Foreign, signature: Foreign, arguments: Foreign) -> Foreign:
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            (stride,) = cgutils.unpack_tuple(builder, array.strides, 1)
            offset = builder.add(builder.mul(arguments[1], stride), arguments[2])
            _ask_for(builder, array.data, offset, for_writing=1)
            return context.get_dummy_value()

        return numba.types.void(table, numba.types.int64, numba.types.int64), emit

    return intrinsic(prefetch)


def make_word(*, octets: int, big: bool = True) -> Foreign:
    """Return the intrinsic that reads so many octets, in that order, of a record that begins with an array of them."""

    def word(_: Foreign, data: Foreign, at: Foreign) -> Foreign:  # noqa: ARG001 - numba's form
        def emit(context: Foreign, builder: Foreign, signature: Foreign, arguments: Foreign) -> Foreign:  # noqa: ARG001
            kind, int64 = ir.IntType(8 * octets), ir.IntType(64)
            first = builder.bitcast(arguments[0], ir.IntType(8).as_pointer())
            place = builder.bitcast(builder.gep(first, [arguments[1]]), kind.as_pointer())
            value = builder.load(place, align=1)
            if octets > 1 and big != (sys.byteorder == "big"):
                value = builder.bswap(value)
            return value if kind == int64 else builder.zext(value, int64)

        return numba.types.int64(data, numba.types.int64), emit

    return intrinsic(word)


def make_hash(*, multipliers: tuple[int, int, int]) -> Foreign:
    """Return the intrinsic that hashes ``high * 2**32 + low`` and a third word, modulo 2**64 (SplitMix64's finish)."""

    def hashed(_: Foreign, high: Foreign, low: Foreign, rest: Foreign) -> Foreign:  # noqa: ARG001 - numba's form
        def emit(context: Foreign, builder: Foreign, signature: Foreign, arguments: Foreign) -> Foreign:  # noqa: ARG001
            int64 = ir.IntType(64)
            first, second, third = (ir.Constant(int64, each) for each in multipliers)

            def shifted(value: Foreign, by: int) -> Foreign:
                return builder.xor(value, builder.lshr(value, ir.Constant(int64, by)))

            word = builder.or_(builder.shl(arguments[0], ir.Constant(int64, 32)), arguments[1])
            value = builder.add(builder.mul(word, first), builder.mul(arguments[2], second))
            value = builder.mul(shifted(value, 30), second)
            return shifted(builder.mul(shifted(value, 27), third), 31)

        return numba.types.int64(numba.types.int64, numba.types.int64, numba.types.int64), emit

    return intrinsic(hashed)


def make_touch() -> Foreign:
    """Return the intrinsic behind ``frame.touch``."""

    def touch(_: Foreign, data: Foreign, at: Foreign) -> Foreign:  # noqa: ARG001 - numba's form
        def emit(context: Foreign, builder: Foreign, signature: Foreign, arguments: Foreign) -> Foreign:  # noqa: ARG001
            _ask_for(builder, arguments[0], arguments[1], for_writing=0)
            return context.get_dummy_value()

        return numba.types.void(data, numba.types.int64), emit

    return intrinsic(touch)


def _ask_for(builder: Foreign, start: Foreign, offset: Foreign, *, for_writing: int) -> None:
    """Emit LLVM's instruction that asks for the cache line so many octets behind a pointer."""
    octet, int32 = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [octet, int32, int32, int32])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    place = builder.gep(builder.bitcast(start, octet), [offset])
    writing, in_all_caches, of_data = (ir.Constant(int32, what) for what in (for_writing, 3, 1))
    builder.call(function, [place, writing, in_all_caches, of_data])
