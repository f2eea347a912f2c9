"""Anti-spam: what is said of a customer's message before it is stored (docs/anti-spam.md)."""

from .judging import Judge, Verdict, judge_of
from .reasons import Reason, reason, score
from .screening import screen
from .settings import ACTIONS, FLAG, KEY, QUARANTINE, SENSITIVITIES, AntiSpam, antispam_of, checked

__all__ = [
    "ACTIONS",
    "FLAG",
    "KEY",
    "QUARANTINE",
    "SENSITIVITIES",
    "AntiSpam",
    "Judge",
    "Reason",
    "Verdict",
    "antispam_of",
    "checked",
    "judge_of",
    "reason",
    "score",
    "screen",
]
