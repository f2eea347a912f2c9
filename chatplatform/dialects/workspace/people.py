"""What contacts, agents, users and settings have in common."""

from dataclasses import replace
from typing import Any

from clients.models import Client

from ..problems import Problem
from .view import View


class PeopleView(View):
    reads = writes = "people"
    #: Columns whose name here is another.
    renamed: dict[str, str] = {}

    @property
    def client(self) -> Client:
        client: Client = self.find(self.all(Client), "Client", pk=self.caller.client_id)
        return client

    def restate(self, problem: Problem) -> Problem:
        fields: dict[str, Any] = {self.renamed.get(name, name): said for name, said in problem.fields.items()}
        return super().restate(replace(problem, fields=fields))
