"""Connections to one server, on a thread of their own: a call can be ended from any thread, at any moment.

A blocking read could not be ended from outside; a task of an event loop can, and its connection with it.
"""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from threading import Lock, Thread
from typing import Any, TypeVar

from vnpy_aiagent.errors import ModelError, ModelUnavailable
from vnpy_aiagent.llm.scope import Cancel

Result = TypeVar("Result")
CLOSE_SECONDS = 5.0


class Line:
    """An event loop in a thread, started by the first call."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._lock = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._closed = False

    def run(self, task: Coroutine[Any, Any, Result], cancel: Cancel) -> Result:
        """Wait for a task's result. Raises ModelCancelled, and ends the task, once it is cancelled."""
        try:
            cancel.check()
            loop = self._running()
        except ModelError:
            task.close()
            raise
        future = asyncio.run_coroutine_threadsafe(task, loop)
        try:
            with cancel.calling(future.cancel):
                return future.result()
        except CancelledError:
            cancel.check()
            raise ModelUnavailable("the client was closed while it waited for an answer") from None
        finally:
            future.cancel()

    def close(self, last: Coroutine[Any, Any, None]) -> None:
        """Run a last task, then end loop and thread. Doing it twice is harmless."""
        with self._lock:
            self._closed = True
            loop, self._loop, thread = self._loop, None, self._thread
        if loop is None or thread is None:
            last.close()
            return
        future = asyncio.run_coroutine_threadsafe(_end(last), loop)
        try:
            future.result(CLOSE_SECONDS)
        except TimeoutError:
            future.cancel()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(CLOSE_SECONDS)
        if not thread.is_alive():
            loop.close()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise ModelUnavailable("the client is closed; make a new one")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = Thread(target=self._loop.run_forever, name="aiagent-model-line", daemon=True)
                self._thread.start()
            return self._loop


async def _end(last: Coroutine[Any, Any, None]) -> None:
    """End what is under way, then close the connections."""
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await last
    await asyncio.get_running_loop().shutdown_default_executor()
