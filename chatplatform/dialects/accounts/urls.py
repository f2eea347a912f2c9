from ..base import route
from .tokens import Me, Tokens

urlpatterns = [
    *route("token", Tokens, post="create"),
    *route("token/refresh", Tokens, post="refresh"),
    *route("me", Me, get="retrieve"),
]
