from typing import Any

from ..base import DialectView
from ..problems import Problem


class View(DialectView):
    """Errors are `{"detail"}`; a validation error names its field."""

    def error_body(self, problem: Problem) -> dict[str, Any]:
        if problem.fields:
            name, messages = next(iter(problem.fields.items()))
            return {"detail": f"{name}: {messages[0]}"}
        return {"detail": f"{problem.message} ({problem.reference})" if problem.reference else problem.message}
