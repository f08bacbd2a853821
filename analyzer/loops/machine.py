"""Machine code of loops: compiled once, kept as object files, and from then on loaded without numba.

Importing numba and unpickling its cache takes as long as a million packets. What numba makes of a loop (``compiler``)
is a function of C's kind: a pointer for the result, one for an exception, then the arguments, of which an array is
seven (owner, parent, items, octets an item, data, shape, stride). So its object file is linked into this process by
llvmlite alone, unless it came along in a library (``shipped``), and called through ctypes, which lets other threads run
meanwhile. Where numba's code asks for more than
the C library has, numba's own way of calling serves; its cache, of pickles, is not used.

Loops take records, one-dimensional arrays, ints and bools, raise nothing, and return one int, several, or nothing.

This module must not know what any loop computes, or what makes a folder one that can be trusted (``store``).
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import pwd
import sys
import threading
import weakref
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.local_settings import ignored
from analyzer.loops import shipped, versions
from analyzer.loops.notices import tell
from analyzer.loops.sources import digest
from analyzer.loops.store import Store, UntrustedError, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from analyzer.untyped import Foreign

CACHE_VARIABLE: Final = "KEEPALIVE_CACHE_DIR"

BELOW: Final = "keepalive-analyzer"
"""What our folder is called among those of other programs."""
JIT_VARIABLE: Final = "KEEPALIVE_JIT"
BY_NUMBA: Final = "numba"
"""The value of JIT_VARIABLE with which numba calls what it compiles, and nothing is kept: to tell whose a fault is."""

FREES_NOTHING: Final = "NRT_MemInfo_call_dtor"
"""What numba's code would call to free an array that it owns; it owns none here."""
OF_THE_C_LIBRARY: Final = frozenset({"memset", "memcpy", "memmove", FREES_NOTHING})
"""What an object file may ask for from outside."""

NO_RESULT: Final = -2
"""numba's status for a function that returned None; 0 is any other success."""


_ONE_AT_A_TIME = threading.Lock()
"""Held while a version is made: neither numba nor the linker is made for two threads."""


_COMPILING = threading.Event()

_INSTEAD: list[Callable[[Native, tuple[Any, ...]], Any]] = []
_HELPERS: list[Callable[[str, str], tuple[dict[str, Any], bytes] | None]] = []


def compiling() -> bool:
    """Whether a loop is being compiled in this process just now."""
    return _COMPILING.is_set()


@contextmanager
def instead(call: Callable[[Native, tuple[Any, ...]], Any]) -> Iterator[None]:
    """Let this be called meanwhile in place of any loop of which no version is there."""
    _INSTEAD.append(call)
    try:
        yield
    finally:
        _INSTEAD.pop()


def rehearsing() -> bool:
    """Whether something is called in place of loops."""
    return bool(_INSTEAD)


def helped_by(helper: Callable[[str, str], tuple[dict[str, Any], bytes] | None]) -> None:
    """Ask this for machine code, by a loop's full name and its types, before anything is compiled here."""
    _HELPERS[:] = [helper]


class Native:
    """A loop as machine code, one version for each combination of argument types it is called with."""

    def __init__(self, name: str, twin: Callable[[str], Any]) -> None:
        """Keep the loop's full name, which no other has, and what returns its function in each form (``Loop``)."""
        self.__name__ = name
        self.twin = twin
        self._versions: dict[tuple[Any, ...], Callable[..., Any]] = {}
        self._by_types: dict[str, Callable[..., Any]] = {}

    def __call__(self, *args: Foreign) -> Foreign:
        """Run it; the first call with arguments of new types loads or compiles a version."""
        kinds = tuple([_ARRAYS[key][2] if (key := id(arg)) in _ARRAYS else _kind(arg) for arg in args])
        version = self._versions.get(kinds)
        if version is None:
            if _INSTEAD:
                return _INSTEAD[-1](self, args)
            with _ONE_AT_A_TIME:
                version = self._versions.get(kinds) or self._version(args)
                self._versions[kinds] = version
        return version(*args)

    def is_at_hand(self, *args: Foreign) -> bool:
        """Say whether there is a version for arguments of these types that takes no compiling."""
        return types_of(args) in self._by_types or kept(self.__name__, types_of(args)) is not None

    def _version(self, args: tuple[Any, ...]) -> Callable[..., Any]:
        types = types_of(args)
        if types not in self._by_types:  # equal types may be objects of their own
            self._by_types[types] = self._made(types, args)
        return self._by_types[types]

    def _made(self, types: str, args: tuple[Any, ...]) -> Callable[..., Any]:
        if os.environ.get(JIT_VARIABLE) == BY_NUMBA:
            return self._by_numba()
        made = kept(self.__name__, types)
        if made is None and _HELPERS and not _DISTRUSTED.is_set():
            made = _HELPERS[-1](self.__name__, types)
        if made is None:
            made = self.compile(args)
            if made is None:
                return self._by_numba()
            keep(self.__name__, types, made)
        return _loaded(*made, args)

    def compile(self, args: tuple[Any, ...]) -> tuple[dict[str, Any], bytes] | None:
        """Return what there is to know of a version, and its object file; None if only numba can call it."""
        _COMPILING.set()
        try:
            made: tuple[dict[str, Any], bytes] | None = _compiler().compiled(
                self.twin("inlined"), args, OF_THE_C_LIBRARY
            )
            return made
        finally:
            _COMPILING.clear()

    def _by_numba(self) -> Callable[..., Any]:
        called: Callable[..., Any] = _compiler().with_numba(self.twin("linked"))
        return called


def _compiler() -> Foreign:
    """Return what compiles; numba is imported with it, but not with settings from the current folder."""
    with ignored(".numba_config.yaml"):
        from analyzer.loops import compiler
    return compiler


def _kind(arg: Foreign) -> Foreign:
    """Return what tells argument types apart quickly."""
    if isinstance(arg, _OF_NUMPY):  # a tuple: ``|`` would make a new type each time
        return type(arg), id(arg.dtype), arg.flags.writeable
    return type(arg)


_OF_NUMPY: Final = (np.ndarray, np.void)


def _type_text(arg: Foreign) -> str:
    """Return an argument's type as text, the same in every process."""
    if isinstance(arg, np.ndarray):
        assert arg.ndim == 1, f"loops take one-dimensional arrays, not {arg.ndim} dimensions"
        _ALIVE.append(arg.dtype)
        return f"array({'' if arg.flags.writeable else 'constant '}{_dtype_text(arg.dtype)})"
    if isinstance(arg, np.void):
        _ALIVE.append(arg.dtype)
        return f"record({_dtype_text(arg.dtype)})"
    return "bool" if isinstance(arg, bool | np.bool_) else "int"


def types_of(args: tuple[Any, ...]) -> str:
    """Return the types of arguments as text, the same in every process."""
    return " ".join([_type_text(arg) for arg in args])


_ALIVE: list[Any] = []
"""Types that ``_kind`` knows by their addresses, kept so that no other type gets one of these."""


def _dtype_text(dtype: Foreign) -> str:
    return str(dtype.descr) + str(dtype.itemsize)


# keeping ───────────────────────────────────────────────────────────────────────────────────────────────────────────


NOWHERE: Final = "compiled code can be kept nowhere, so large captures take some five seconds longer, every time"

_DISTRUSTED = threading.Event()


def distrust() -> None:
    """Use nothing of what was kept, and keep nothing, from now on in this process."""
    _DISTRUSTED.set()


def kept(loop: str, types: str) -> tuple[dict[str, Any], bytes | int] | None:
    """Return what came along or was kept of a loop for these types; None if nothing did that may be used.

    Instead of an object file it may be where its code lies in this process (``shipped.found``).
    """
    if _DISTRUSTED.is_set():
        return None
    found = shipped.found(file_name(loop, types))
    if found is None and (folder := store()) is not None:
        found = folder.kept(file_name(loop, types))
    return found if found is not None and (found[0].get("loop"), found[0].get("types")) == (loop, types) else None


def keep(loop: str, types: str, made: tuple[dict[str, Any], bytes]) -> None:
    """Keep what was made of a loop for the next process, if there is somewhere to keep it."""
    folder = None if _DISTRUSTED.is_set() else store()
    if folder is not None:
        about, code = made
        folder.keep(file_name(loop, types), about | {"loop": loop, "types": types}, code)


def file_name(loop: str, types: str) -> str:
    """Return what the file is called that keeps a loop's code for these types."""
    return f"{loop}-{hashlib.sha256(types.encode()).hexdigest()[:16]}.o"


@cache
def store() -> Store | None:
    """Return the folder for compiled loops, made if need be; None if there is none that can be used, which is told.

    Its name changes with every source that code is made from, with the processor, and with the versions and settings
    that numba goes by. A read-only installation matters nothing: it is below the user's cache folder.
    """
    import llvmlite
    from llvmlite import binding as llvm

    settings = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith("NUMBA_")]
    numba = versions.installed("numba") or ""
    conditions = [sys.version, numba, llvmlite.__version__, llvm.get_host_cpu_name(), _features(), *settings]
    name = digest(conditions)
    for base in _cache_bases():
        try:
            return opened(base, name)
        except UntrustedError as error:
            tell(f"compiled code in {base} is not used: {error}")
        except OSError:
            continue
    tell(NOWHERE)
    return None


def _cache_bases() -> list[Path]:
    """Return candidate parents of the cache folder, best first."""
    bases = []
    if chosen := os.environ.get(CACHE_VARIABLE):
        bases.append(Path(chosen))
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        bases.append(Path(xdg) / BELOW)
    # sudo may keep the HOME of the user who called it; then root has a folder of its own
    homes = (os.environ.get("HOME"), _home_of_the_effective_user())
    bases += [Path(home) / ".cache" / BELOW for home in homes if home and Path(home).is_dir()]
    return list(dict.fromkeys(bases))


def _home_of_the_effective_user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return ""


# loading and calling ───────────────────────────────────────────────────────────────────────────────────────────────


def _features() -> str:
    from llvmlite import binding as llvm

    return str(llvm.get_host_cpu_features().flatten())


@cache
def _engine() -> Foreign:
    """Return the linker of this process."""
    from llvmlite import binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    library = ctypes.CDLL(None)
    for name in OF_THE_C_LIBRARY:
        # what frees is never called, but the linker wants an address
        function = library["abort" if name == FREES_NOTHING else name]
        llvm.add_symbol(name, ctypes.cast(function, ctypes.c_void_p).value)
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=_features(), opt=0, reloc="static", codemodel="jitdefault", jit=True
    )
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)


_ARRAYS: Final[dict[int, tuple[Foreign, tuple[Any, ...], Foreign]]] = {}
"""By address the arrays that loops were called with and that are still there: a weak reference to each, what
machine code takes of it, and its ``_kind``. The tables of a tracker are passed a thousand times, and to ask numpy where
an array lies takes a microsecond. It never changes where it lies or how long it is: who resizes a table makes another.
"""


def _array(array: NDArray[Any]) -> tuple[Any, ...]:
    """Return what machine code takes of an array (numba's layout), and keep it for as long as the array lives."""
    assert array.flags.c_contiguous, "loops take contiguous arrays"
    size, each, key = array.size, array.itemsize, id(array)
    flat = (None, None, size, each, array.ctypes.data, size, each)

    def forget(_: Foreign) -> None:
        """Be called before the address can be another array's."""
        _ARRAYS.pop(key, None)

    _ARRAYS[key] = weakref.ref(array, forget), flat, _kind(array)
    return flat


def _linked(symbol: str, code: bytes) -> int:
    """Link an object file, and return where the function of that name is."""
    from llvmlite import binding as llvm

    engine = _engine()
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    address: int = engine.get_function_address(symbol)
    assert address, f"{symbol} is not in its object file"
    return address


def _loaded(about: dict[str, Any], code: bytes | int, args: tuple[Any, ...]) -> Callable[..., Any]:
    """Return a Python function that calls machine code, linked now or where it lies, with arguments of these types."""
    address = code if isinstance(code, int) else _linked(about["symbol"], code)
    results: int = about["results"]
    function: Any = ctypes.CFUNCTYPE(ctypes.c_int32)(address)
    pointer, int64, int8 = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int8
    types: list[Any] = [pointer, pointer]
    for arg in args:
        if isinstance(arg, np.ndarray):
            types += [pointer, pointer, int64, int64, pointer, int64, int64]
        else:
            types.append(pointer if isinstance(arg, np.void) else int8 if isinstance(arg, bool | np.bool_) else int64)
    function.argtypes = types
    make_result = int64 * max(results, 1)

    def call(*args: Foreign) -> Foreign:
        result, exception = make_result(), pointer()
        flat: list[Any] = [ctypes.addressof(result), ctypes.addressof(exception)]
        for arg in args:
            known = _ARRAYS.get(id(arg))
            if known is not None:
                flat += known[1]
            elif isinstance(arg, np.ndarray):
                flat += _array(arg)
            elif isinstance(arg, np.void):
                flat.append(np.frombuffer(arg, np.uint8).ctypes.data)
            else:
                flat.append(int(arg))
        status = function(*flat)
        if status not in (0, NO_RESULT):
            raise AssertionError(f"{about['symbol']} ended with status {status}")
        if results < 0:
            return None
        return tuple(result) if results else result[0]

    return call
