"""`make bench`: the product beside a bare server with the same SQL, on a million messages.

BENCH_ARGS="--messages 50000 --json result.json" and so on; docs/bench.md says what is measured.
"""

import argparse
import os
import secrets
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = "postgres://postgres@127.0.0.1:5432/chatplatform_bench"
MILLION = 1_000_000


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--messages", type=int, help="how many to fill in, once (1,000,000; on SQLite 100,000)")
    parser.add_argument("--sqlite", action="store_true", help="our server alone, on the embedded database")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="of each operation on each system, a round")
    parser.add_argument("--clients", type=int, default=8, help="keep-alive connections, one request at a time each")
    parser.add_argument("--told", type=int, default=500, help="with --streams: messages that are waited for")
    parser.add_argument("--only", choices=["ours", "bare"], help="drive one of the two")
    parser.add_argument("--json", metavar="PATH", help="write the result there too")
    parser.add_argument("--fill", action="store_true", help="fill and end")
    parser.add_argument("--streams", action="store_true", help="how soon subscribers are told, and what that costs")
    parser.add_argument("--search", action="store_true", help="what a search costs, by kind of words, scope and order")
    parser.add_argument(
        "--indexing", action="store_true", help="what a send costs with the index of search and without"
    )
    parser.add_argument("--statements", action="store_true", help="print the SQL of each operation and end")
    options = parser.parse_args()
    options.messages = options.messages or (MILLION // 10 if options.sqlite else MILLION)
    return options


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped then too
    warnings.simplefilter("ignore")  # nothing here serves static files
    prepare(options)
    from bench import fill

    try:
        known = fill.filled()
        if known is None:
            print(f"Filling in {options.messages:,} messages", flush=True)
            print(fill.fill(options.messages), flush=True)
        elif known != options.messages:
            raise fill.NotOurs(f"the database was filled with {known:,} messages; name another in DATABASE_URL")
    except fill.NotOurs as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 2
    if options.fill:
        return 0
    if options.search:
        return measure_search(options)
    if options.indexing:
        return measure_indexing(options)
    return measure_streams(options) if options.streams else measure(options)


def measure_search(options: argparse.Namespace) -> int:
    from bench import search, servers

    for line in search.measure(servers.ours, rounds=options.rounds):
        print(line, flush=True)
    return 0


def measure_streams(options: argparse.Namespace) -> int:
    from bench import servers, streams, traffic

    tokens = traffic.tokens()
    sends = traffic.requests(tokens)["send"]
    print(streams.measure(
        tokens, sends, servers.ours, count=options.told, rounds=2 * options.rounds, clients=options.clients
    ))  # fmt: skip
    return 0


def measure_indexing(options: argparse.Namespace) -> int:
    from bench import servers, streams, traffic

    sends = traffic.requests(traffic.tokens())["send"]
    ways = {"indexed": {}, "not indexed": {"DJANGO_SETTINGS_MODULE": "bench.unindexed_settings"}}
    started = {name: servers.ours(**environment) for name, environment in ways.items()}
    try:
        found = streams.cost(started, sends, rounds=4 * options.rounds, clients=options.clients)
    finally:
        for server in started.values():
            server.stop()
    print(streams.COST_HEAD)
    for name, (rate, server_cpu, database_cpu) in found.items():
        print(streams.cost_line(name, rate, server_cpu, database_cpu))
    return 0


def prepare(options: argparse.Namespace) -> None:
    """The environment that we and the servers share, and the database with its tables."""
    sys.path[0] = str(ROOT)
    default = DEFAULT if options.messages == MILLION else f"{DEFAULT}_{options.messages}"
    if options.sqlite:
        folder = Path(os.environ.get("DATA_DIR") or ROOT / "data").resolve()
        folder.mkdir(parents=True, exist_ok=True)
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/bench_{options.messages}.sqlite3"
    else:
        os.environ["DATABASE_URL"] = os.environ.get("DATABASE_URL") or default
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatplatform.settings")
    os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    if os.environ["DATABASE_URL"].startswith("postgres"):
        create_database(os.environ["DATABASE_URL"])
    else:
        options.only = "ours"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def create_database(url: str) -> None:
    import psycopg
    from psycopg import conninfo, sql

    # psycopg knows the other spelling of the scheme
    parts = conninfo.conninfo_to_dict(url.replace("postgres://", "postgresql://", 1))
    name = str(parts["dbname"])
    try:
        psycopg.connect(**parts, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        if "does not exist" not in str(error):
            raise SystemExit(f"bench: no PostgreSQL at {url}: {error}") from error
        with psycopg.connect(**{**parts, "dbname": "postgres"}, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def measure(options: argparse.Namespace) -> int:
    from bench import record, report, servers, traffic
    from bench.rounds import run
    from bench.traffic import OPERATIONS

    started: list[Any] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            recording = record.record()
            recording.write(f"{folder}/statements.json")
            if options.statements:
                print(record.listing(recording))
                return 0
            token_of = traffic.tokens()
            requests = traffic.requests(token_of)
            queries = record.queries_per_request(recording)
            for name, start in (
                ("ours", servers.ours),
                ("bare", lambda: servers.bare(f"{folder}/statements.json")),
            ):
                if options.only in (None, name):
                    started.append(start())
            if different := traffic.difference([server.port for server in started], requests):
                print(f"bench: {different}", file=sys.stderr)
                return 2
            rounds, load_cpu = run(
                started, requests, rounds=options.rounds, clients=options.clients, seconds=options.seconds
            )
        finally:
            for server in started:
                server.stop()
    found = report.lines(rounds, queries)
    print(report.table(found, report.ratios(rounds), OPERATIONS))
    print(f"The load took {load_cpu:.0%} of a core.")
    about = {
        "messages": options.messages, "clients": options.clients, "rounds": options.rounds,
        "seconds": options.seconds, "cores": os.cpu_count(), "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }  # fmt: skip
    if options.json:
        report.write(options.json, rounds, found, about | {"load_cpu": load_cpu})
    errors = [one for one in rounds if one.errors]
    for one in errors:
        print(f"{one.errors} errors: {one.system}, {one.operation}: {one.first_error}", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
