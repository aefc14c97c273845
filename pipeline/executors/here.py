"""Serial executor: runs every item in this process, one after the other."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from pipeline.errors import AuditError, CaseBug, CaseError, WorkerFailure

T = TypeVar("T")
R = TypeVar("R")


class Here:
    """An executor without parallelism, for notebooks, debuggers and tests."""

    def stream(
        self,
        function: Callable[[T], R],
        items: Iterable[T],
        *,
        on_failure: Callable[[T, CaseError], R],
    ) -> Iterator[R]:
        """Results of `function`, in the order of the items; see `contracts.Executor`."""
        for item in items:
            try:
                result = function(item)
            except CaseError as error:
                result = on_failure(item, error)
            except AuditError:
                raise
            except MemoryError:
                result = on_failure(item, WorkerFailure("out_of_memory"))
            except Exception as error:  # noqa: BLE001  the run goes on without this item
                result = on_failure(item, CaseBug.of(error))
            yield result
