"""How well the demonstration's articles are found. `questions.tsv` and `unrelated.tsv` were written before anything
ranked them and are measured only; what was tried out was tried out on the other two."""

from dataclasses import dataclass, field
from pathlib import Path

from messaging.knowledge.retrieving import THRESHOLD, retrieve

_FOLDER = Path(__file__).parent


@dataclass
class Measured:
    #: Questions whose right article came first; those of them that are answered; those answered from another one.
    first: int = 0
    answered: int = 0
    wrongly: list[str] = field(default_factory=list)
    #: Questions that come first nowhere, unrelated ones that are answered.
    missed: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    decisions: list[tuple[str, float]] = field(default_factory=list)


def measure(client_id: int, questions: str, unrelated: str) -> Measured:
    found = Measured()
    for line in lines(questions):
        title, question = line.split("\t")
        first, score = _best(client_id, question)
        found.decisions.append((first, score))
        if first == title:
            found.first += 1
            found.answered += score >= THRESHOLD
        else:
            found.missed.append(f"{question} → {first} {score}")
            if score >= THRESHOLD:
                found.wrongly.append(question)
    for question in lines(unrelated):
        first, score = _best(client_id, question)
        found.decisions.append((first, score))
        if score >= THRESHOLD:
            found.taken.append(f"{question} → {first} {score}")
    return found


def lines(name: str) -> list[str]:
    return (_FOLDER / f"{name}.tsv").read_text("utf-8").splitlines()


def _best(client_id: int, question: str) -> tuple[str, float]:
    hits = retrieve(client_id, question)
    return (hits[0].article.title, hits[0].score) if hits else ("", 0.0)
