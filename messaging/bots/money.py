"""What a call costs, exact to the millionth of the currency in which an agent's prices are."""

from decimal import ROUND_HALF_UP, Decimal

from clients.models import Agent

_MILLION = 1_000_000
_MICRO = Decimal("0.000001")


def cost_of(agent: Agent, tokens_in: int, tokens_out: int) -> Decimal:
    exact = (tokens_in * Decimal(agent.price_in) + tokens_out * Decimal(agent.price_out)) / _MILLION
    return exact.quantize(_MICRO, ROUND_HALF_UP)


def micro(amount: Decimal) -> int:
    """In millionths, which both databases add up exactly."""
    return int((amount * _MILLION).to_integral_value(ROUND_HALF_UP))


def from_micro(amount: int) -> Decimal:
    return (Decimal(amount) / _MILLION).quantize(_MICRO)
