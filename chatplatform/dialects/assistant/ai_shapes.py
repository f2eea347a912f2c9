"""What call 6 answers."""

from typing import TypedDict

from messaging.models import Message

from ..operations import Time
from . import shapes


class AIResponse(TypedDict):
    message_id: int
    ai_response: str
    tokens_used: int
    processing_time: float
    cost: float
    created_at: Time


class AIResponseGenerated(shapes.Done):
    data: AIResponse


def ai_response(message: Message) -> AIResponse:
    return {
        "message_id": message.pk,
        "ai_response": message.text,
        "tokens_used": message.tokens_used or 0,
        "processing_time": message.processing_time or 0.0,
        "cost": float(message.cost or 0),
        "created_at": shapes.time(message.created_at),
    }
