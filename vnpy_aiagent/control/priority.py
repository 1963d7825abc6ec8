"""Processes that give way: on a busy machine the trading process beside them is served first."""

import os
import sys

NICE = 5
BELOW_NORMAL = 0x4000
"""Windows: BELOW_NORMAL_PRIORITY_CLASS of SetPriorityClass."""


def give_way() -> None:
    """Lower this process's priority one step; a system that does not allow it leaves it as it is."""
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.WinDLL("kernel32")
        kernel.GetCurrentProcess.restype = ctypes.c_void_p  # a handle is 64 bits wide
        kernel.SetPriorityClass.argtypes = (ctypes.c_void_p, ctypes.c_ulong)
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), BELOW_NORMAL)
        return
    nice = getattr(os, "nice", None)
    if nice is not None:
        nice(NICE)
