from dataclasses import replace

from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform.errors import Invalid
from chatplatform.middleware import client_address
from clients import actions, rates
from clients.models import User

from ..cookies import UserCookie
from ..credentials import UserToken
from ..operations import operation
from ..permissions import Anyone
from ..problems import Problem
from ..rates import refuse
from . import inputs, shapes
from .tokens import log_in
from .view import View


class _Passwords(View):
    def restate(self, problem: Problem) -> Problem:
        """What is wrong with a password is wrong with the new one."""
        fields = {"new_password" if name == "password" else name: said for name, said in problem.fields.items()}
        return super().restate(replace(problem, fields=fields))


class OwnPassword(_Passwords):
    """By a Bearer token, else by the cookie."""

    authentication_classes = [UserToken, UserCookie]

    @operation("Change one's password", body=inputs.PasswordChange, answer=None, status=204, problems=(401, 403, 429))
    def change(self, request: Request) -> Response:
        """Ends every log-in of the user, this one too. Wrong old passwords count as failed log-ins."""
        given = self.body()
        user: User = self.find(self.all(User), "User", pk=self.caller.user_id)
        try:
            log_in(request, username=user.username, password=given["old_password"])
        except AuthenticationFailed as error:
            raise Invalid("Validation error", fields={"old_password": ["This is not the present password."]}) from error
        actions.set_password(user=user, password=given["new_password"])
        return Response(status=204)


class ForgottenPassword(_Passwords):
    permission_classes = [Anyone]

    @operation(
        "Ask for a link to set a new password", body=inputs.PasswordReset, answer=shapes.Asked, status=202,
        problems=(429,),
    )  # fmt: skip
    def ask(self, request: Request) -> Response:
        """One answer, whether or not somebody has the address, and in the same time."""
        email = self.body()["email"]
        refuse(rates.spend_for_address("password_mails", client_address(request._request)))
        actions.ask_for_password_link(email)
        return Response(shapes.asked(), status=202)

    @operation("Set a new password by the link", body=inputs.PasswordByLink, answer=None, status=204)
    def confirm(self, request: Request) -> Response:
        given = self.body()
        actions.set_password_by_link(uid=given["uid"], token=given["token"], password=given["new_password"])
        return Response(status=204)
