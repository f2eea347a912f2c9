from ..base import route
from .chats import Chats

urlpatterns = route("", Chats, post="create")
