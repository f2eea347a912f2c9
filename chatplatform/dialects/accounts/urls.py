from ..base import route
from .passwords import ForgottenPassword, OwnPassword
from .sessions import Sessions
from .tokens import Me, Tokens

urlpatterns = [
    *route("token", Tokens, post="create"),
    *route("token/refresh", Tokens, post="refresh"),
    *route("login", Sessions, post="create"),
    *route("refresh", Sessions, post="refresh"),
    *route("logout", Sessions, post="destroy"),
    *route("password/change", OwnPassword, post="change"),
    *route("password/reset", ForgottenPassword, post="ask"),
    *route("password/reset/confirm", ForgottenPassword, post="confirm"),
    *route("me", Me, get="retrieve"),
]
