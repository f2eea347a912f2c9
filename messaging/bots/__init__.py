"""AI agents: what answers a customer when nobody has yet (docs/ai.md).

`asking.py` is the way through: what must be true before a provider is asked is checked in one transaction, the
provider is asked in none, and its answer is stored in another that checks all of it again.
"""
