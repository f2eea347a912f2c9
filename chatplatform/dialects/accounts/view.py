from ..base import DialectView
from ..problems import Problem
from . import shapes


class View(DialectView):
    """Errors are `{"detail"}`; a validation error names its field."""

    errors = shapes.Error
    rates = None  # what is guessed at here has limits of its own
    keeps_answers = False  # tokens are not kept; and what goes wrong here may have to be remembered
    always = (500, 503, 507)
    of_writes = (400, 413, 415)

    def error_body(self, problem: Problem) -> shapes.Error:
        if problem.fields:
            name, messages = next(iter(problem.fields.items()))
            return {"detail": f"{name}: {messages[0]}"}
        return {"detail": f"{problem.message} ({problem.reference})" if problem.reference else problem.message}
