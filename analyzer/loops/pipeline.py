"""The passes of numba's compiler that loops need: a sixth less time than with all of them.

Loops have no closures, no ``with``, no generators, no calls that are to be inlined as Python, no arrays that are
computed with as a whole, and nobody prints what they became: the passes for those are left out, and the analysis that
numba repeats after each pass (which variables live where) is made once, by the pass before machine code that needs it.
numba describes how to put passes together ("Customizing the Compiler"); a loop that needs more does not compile, which
its tests show.

This module must not know what any loop computes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from numba.core.compiler import CompilerBase
from numba.core.compiler_lock import global_compiler_lock
from numba.core.compiler_machinery import PassManager, _pass_registry
from numba.core.object_mode_passes import ObjectModeFrontEnd  # noqa: F401 - registers passes that others name
from numba.core.transforms import canonicalize_cfg
from numba.core.typed_passes import (
    IRLegalization,
    NativeLowering,
    NoPythonBackend,
    NopythonTypeInference,
    PreLowerStripPhis,
)
from numba.core.untyped_passes import (
    DeadBranchPrune,
    FixupArgs,
    GenericRewrites,
    IRProcessing,
    ReconstructSSA,
    RewriteSemanticConstants,
    TranslateByteCode,
)

if TYPE_CHECKING:
    from analyzer.untyped import Foreign

PASSES: Final[tuple[Any, ...]] = (
    TranslateByteCode,
    FixupArgs,
    IRProcessing,
    RewriteSemanticConstants,
    DeadBranchPrune,
    GenericRewrites,  # a field of a record is asked for by a constant name
    ReconstructSSA,
    NopythonTypeInference,
    PreLowerStripPhis,
    IRLegalization,
    NativeLowering,
    NoPythonBackend,
)


class _Passes(PassManager):
    """Passes one after the other, and nothing between them but what branches lead nowhere."""

    @global_compiler_lock  # type: ignore[untyped-decorator]
    def _runPass(self, index: int, each: Foreign, state: Foreign) -> None:  # noqa: ARG002, N802 - numba's form
        each.analysis = self._analysis
        each.run_initialization(state)
        each.run_pass(state)
        each.run_finalizer(state)
        if _REGISTRY.get(type(each)).mutates_CFG:
            state.func_ir.blocks = _CANONICAL(state.func_ir.blocks)


_CANONICAL: Final[Any] = canonicalize_cfg
_MANAGER: Final[Any] = _Passes
_REGISTRY: Final[Any] = _pass_registry


class LoopCompiler(CompilerBase):
    """numba's compiler with the passes that loops need."""

    def define_pipelines(self) -> list[Any]:
        """Return the one pipeline."""
        passes: Any = _MANAGER("loops")
        for each in PASSES:
            passes.add_pass(each, each.__name__)
        passes.finalize()
        return [passes]
