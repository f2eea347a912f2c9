"""PostgreSQL through Django's pool, whose connections are looked at before each use without a round trip.

The pool's own check costs a round trip a request, and backs off for seconds when the server has
dropped several idle connections at once (a restart, a failover).
"""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        if self.pool and _is_broken(connection):
            self.pool.putconn(connection)  # which discards it
            self.pool.check()  # as it does the others that broke with it
            connection = super().get_new_connection(conn_params)
        return connection


def _is_broken(connection: Any) -> bool:
    """Nothing comes unasked on an idle connection but its end (or a notice: then it is asked)."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if not poll.poll(0):
        return False
    try:
        connection.execute("")
    except psycopg.Error:
        return True
    return False
