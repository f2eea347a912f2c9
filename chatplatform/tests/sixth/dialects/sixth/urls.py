from ..base import route
from .tickets import Tickets

urlpatterns = [
    *route("tickets", Tickets, get="list", post="create"),
    *route("tickets/<str:ticket_id>", Tickets, get="retrieve", patch="update", delete="destroy"),
]
