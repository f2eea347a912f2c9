"""What the benchmark's messages say: real dialogues where they are at hand, else a few of our own."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
LONGEST = 2000  # characters; a few pasted logs are longer

_OWN = [
    ("Order not delivered", [
        (True, "Hello, my order was due on Monday and it still has not arrived. Could you tell me where it is?"),
        (False, "Good morning! I am sorry to hear that. May I have the number of the order, please?"),
        (True, "It is on the receipt: 48213. It was sent to my office, not to my home."),
        (False, "Thank you. The courier found the office closed on Tuesday at 17:40; they come again tomorrow."),
        (True, "Could they leave it at the reception? Somebody is there from eight in the morning."),
        (False, "I have added that to the delivery note. You will get a message an hour before they come."),
        (True, "Perfect, thanks."),
    ]),
    ("Cobro duplicado", [
        (True, "Hola, este mes me cobraron dos veces la misma factura. ¿Qué tengo que hacer?"),
        (False, "Buenos días. ¿Me puede dar los últimos cuatro números de la tarjeta y la fecha de los cobros?"),
        (True, "Termina en 7730. Los dos cobros son del día 3, con unos minutos de diferencia."),
        (False, "Lo veo. Anulé el segundo; verá la devolución en su cuenta en tres a cinco días hábiles."),
        (True, "Muchas gracias por la ayuda."),
    ]),
    ("Tidak bisa masuk", [
        (True, "Selamat siang, saya tidak bisa masuk ke akun saya sejak ganti ponsel."),
        (False, "Selamat siang. Apakah nomor teleponnya masih sama dengan yang terdaftar?"),
        (True, "Masih sama, tetapi kode verifikasinya tidak pernah datang."),
        (False, "Saya sudah mengirim kode yang baru. Mohon dicoba lagi, kodenya berlaku sepuluh menit."),
        (True, "Sudah masuk. Terima kasih banyak!"),
    ]),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dialogue:
    subject: str
    lines: list[tuple[bool, str]]  # (by the customer, text)


def dialogues(folder: Path = SHARED) -> tuple[list[Dialogue], str]:
    """All dialogues that can be found, and where they come from in words."""
    files = sorted(folder.glob("transcripts-*.jsonl.gz"))
    found = [dialogue for file in files for dialogue in _read(file)]
    if found:
        return found, ", ".join(file.name for file in files)
    return [
        Dialogue(subject, lines) for subject, lines in _OWN
    ], "three dialogues of our own (../shared/data is absent)"


def _read(file: Path) -> Iterator[Dialogue]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            said = [
                (message["sender"] == "customer", message["text"][:LONGEST])
                for message in row["messages"]
                if message["sender"] in ("customer", "agent") and message["text"].strip()
            ]
            if said:
                yield Dialogue(row.get("subject") or "Conversation", said)
