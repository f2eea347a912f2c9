"""The demonstration: an invented company, invented people and a week of their conversations.

`english.py`, `spanish.py` and `indonesian.py` hold the dialogues, `cast.py` makes the people, and
`replay.py` plays everything in the order of time through the same actions that the dialects call.
"""
