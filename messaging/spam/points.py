"""What each sign is worth, and the score to pass.

The points come from a logistic regression over SMS and support chats, cross-validated, rounded by hand;
those of signs that its data has little of (coins, betting, pills, jobs, disguise) are set by judgement.
"""

from typing import Final

#: The score that a message must reach, by sensitivity.
THRESHOLDS: Final = {"low": 7.0, "medium": 5.0, "high": 4.0}

KEYWORD: Final = 10.0  # over each threshold
LINK: Final = 5.0  # to a domain that the client's list does not have

#: Group of words → points for the first word of it, and for a second one.
WORDS: Final = {
    "prize": (1.25, 0.5),
    "gain": (0.75, 0.5),
    "free": (1.0, 0.0),
    "offer": (0.75, 0.25),
    "act": (0.75, 0.75),
    "hurry": (0.5, 0.25),
    "opt out": (0.75, 0.25),
    "rate": (0.5, 0.25),
    "adult": (1.0, 0.5),
    "ringtones": (1.25, 0.25),
    "phones": (1.0, 0.5),
    "coins": (1.0, 1.0),
    "betting": (1.0, 1.5),
    "pills": (1.0, 1.0),
    "job": (0.5, 1.0),
}

PRICE: Final = 1.5
PER_UNIT: Final = 1.0  # 150p/msg, per week
TERMS: Final = 0.75
AGE: Final = 0.25  # 18+
PHONE: Final = 1.5  # a number to call, not the sender's own
PREMIUM: Final = 1.75  # an expensive one
SHORT_CODE: Final = 1.25
CALL_NUMBER: Final = 2.75  # a word of action and a number
FOLLOW_LINK: Final = 0.75  # a word of action and a link
BARE_LINK: Final = 1.25  # a link beside other signs; none by itself
SHOUTED: Final = 1.25  # words in capitals among others
SHOUTED_MORE: Final = 0.75
EXCLAIMED: Final = 0.75
DISGUISED: Final = 2.0  # pr1ze, f r e e, letters of two alphabets in one word
OWN_BUSINESS: Final = -1.25
OWN_BUSINESS_MORE: Final = -0.5

#: The same text again, by how often it came before within REPEATED_SECONDS, and messages in BURSTS' seconds.
REPEATED_SECONDS: Final = 600
REPEATED: Final = ((5, 8.0), (4, 6.5), (3, 5.0), (2, 4.0), (1, 1.0))
#: (seconds, ((how many messages, points), …)); this one counts.
BURSTS: Final = (
    (10, ((12, 7.0), (8, 5.0), (6, 4.0))),
    (60, ((30, 7.0), (20, 5.0), (12, 4.0))),
)
