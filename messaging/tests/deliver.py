"""A worker process that does nothing but deliver, for tests that kill it: `python -m messaging.tests.deliver`."""

import asyncio

import django


def main() -> None:
    django.setup()
    from messaging.tests.receiver import render
    from messaging.webhooks.delivering import Deliverer

    async def run() -> None:
        await Deliverer(render).run(asyncio.Event())

    asyncio.run(run())


if __name__ == "__main__":
    main()
