from ..fields import Changes, Count, Input, Query, Text


class TicketList(Query):
    limit = Count(default=20, most=100)
    offset = Count(default=0, least=0)


class NewTicket(Input):
    subject = Text(max_length=255)


class TicketChanges(Changes):
    subject = Text(max_length=255, required=False)
