"""Kernels within kernels: what numba does for a function that other compiled functions call, and what it may skip.

numba compiles a function that is called from compiled code as if Python called it, too: it optimises it, makes machine
code of it and wraps it; and then it does so again with each caller, of which it is a part. Here a part stays as numba
wrote it, and is optimised and made machine code of once, in the kernel that Python calls. That is what a compiler of C
does, and a kernel of fifty parts takes a third of the time.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import LoweringPass, register_pass
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import AnnotateTypes, NativeLowering


class Part(CPUDispatcher):
    """A function as compiled code calls it. Python cannot."""

    def __init__(self, function: Any, options: dict[str, Any]) -> None:
        super().__init__(function, {}, options | {"no_cpython_wrapper": True}, pipeline_class=_Compiler)

    def add_overload(self, cres: Any) -> None:
        """Keep the compiled part, of which Python is told nothing."""
        self.overloads[tuple(cres.signature.args)] = cres


def plain(kind: Any) -> Any:
    """Return the type of an argument without its value: a number as it stands has a type of its own, for which numba
    would compile a part once more."""
    is_number = isinstance(kind, (types.IntegerLiteral, types.BooleanLiteral))
    return types.unliteral(kind) if is_number else kind


class _Library(JITCodeLibrary):
    """The code of a part, to be linked, not to be run."""

    def finalize(self) -> None:
        for library in dict.fromkeys(self._linking_libraries):
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0


class _Key:
    """The name of a compiled part for its callers, where numba has the address of a function."""


@register_pass(mutates_CFG=True, analysis_only=False)
class _Prepare(LoweringPass):
    _name = "vaezip_prepare_part"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        state.library = _Library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        return False


@register_pass(mutates_CFG=True, analysis_only=False)
class _Register(LoweringPass):
    _name = "vaezip_register_part"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        state.library._ensure_finalized()
        key = _Key()
        state.targetctx.insert_user_function(key, state["cr"].fndesc, [state.library])
        state["cr"] = state["cr"]._replace(cfunc=key)
        return False


class _Compiler(Compiler):
    """numba's steps, with those of a part around the one that writes the code."""

    def define_pipelines(self) -> Any:
        pipelines = super().define_pipelines()
        pipelines[0].add_pass_after(_Prepare, AnnotateTypes)
        pipelines[0].add_pass_after(_Register, NativeLowering)
        pipelines[0].finalize()
        return pipelines
