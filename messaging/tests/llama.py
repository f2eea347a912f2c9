"""llama.cpp's own server over a model made on the spot: the OpenAI protocol as somebody else speaks it.

python llama.py FOLDER     makes the model there, serves it, and says at which address
"""

import struct
import sys
import time
from collections.abc import Sequence
from pathlib import Path

#: What the model answers, whatever it is asked, token by token; 0xC3 0xB1 is one letter in two tokens.
SAID = ("Your", "▁order", "▁left", "▁this", "▁ma", b"\xc3", b"\xb1", "ana", "▁✓")
ANSWER = "Your order left this mañana ✓"
KEY = "sk-tiny"
#: What ends a turn, in this model's eyes.
MARK = "<|im_end|>"
#: What the server puts after every conversation, and what the model says its first word to.
_CUE = "\n"
_TEMPLATE = "{% for message in messages %}{{ message['content'] }}" + _CUE + "{% endfor %}"

_UNKNOWN, _BEGIN, _END, _BYTES = 0, 1, 2, 3  # places in the vocabulary
_NORMAL, _UNKNOWN_KIND, _CONTROL, _BYTE = 1, 2, 3, 6
_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_ALIGNED = 32


def make_model(path: Path) -> None:
    """A language model of one layer that knows of each token which one comes next: the layer adds nothing, a token
    is its own vector, and the output turns that into its follower's. The file's format is llama.cpp's (GGUF 3)."""
    words = [piece for piece in SAID if isinstance(piece, str)]
    vocabulary = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *words]
    vocabulary += [MARK, *(f"<{number}>" for number in range(-(len(vocabulary) + 1) % _ALIGNED))]
    kinds = [_UNKNOWN_KIND, _CONTROL, _CONTROL, *[_BYTE] * 256, *[_NORMAL] * (len(vocabulary) - _BYTES - 256)]
    kinds[vocabulary.index(MARK)] = _CONTROL
    size = len(vocabulary)
    chain = [_BYTES + ord(_CUE), *(_token(piece, vocabulary) for piece in SAID), _END]
    follower = dict(zip(chain, chain[1:], strict=False))
    tensors = {
        "token_embd.weight": (size, size, _one_in_a_row(size, {token: token for token in range(size)}, 1.0)),
        "output_norm.weight": (size, 1, _all(1.0, size)),
        "output.weight": (size, size, _one_in_a_row(size, {after: token for token, after in follower.items()}, 4.0)),
        "blk.0.attn_norm.weight": (size, 1, _all(1.0, size)),
        "blk.0.ffn_norm.weight": (size, 1, _all(1.0, size)),
        **{f"blk.0.attn_{name}.weight": (size, size, bytes(4 * size * size)) for name in ("q", "k", "v", "output")},
        **{f"blk.0.ffn_{name}.weight": (size, _ALIGNED, bytes(4 * size * _ALIGNED)) for name in ("gate", "up")},
        "blk.0.ffn_down.weight": (_ALIGNED, size, bytes(4 * size * _ALIGNED)),
    }
    facts = [
        _fact("general.architecture", _STRING, _text("llama")),
        _fact("llama.context_length", _UINT32, struct.pack("<I", 8192)),
        _fact("llama.embedding_length", _UINT32, struct.pack("<I", size)),
        _fact("llama.block_count", _UINT32, struct.pack("<I", 1)),
        _fact("llama.feed_forward_length", _UINT32, struct.pack("<I", _ALIGNED)),
        _fact("llama.attention.head_count", _UINT32, struct.pack("<I", 4)),
        _fact("llama.attention.layer_norm_rms_epsilon", _FLOAT32, struct.pack("<f", 1e-5)),
        _fact("tokenizer.ggml.model", _STRING, _text("llama")),
        _fact("tokenizer.ggml.tokens", _ARRAY, _array(_STRING, [_text(token) for token in vocabulary])),
        _fact("tokenizer.ggml.scores", _ARRAY, _array(_FLOAT32, [struct.pack("<f", 0)] * size)),
        _fact("tokenizer.ggml.token_type", _ARRAY, _array(_INT32, [struct.pack("<i", kind) for kind in kinds])),
        _fact("tokenizer.ggml.unknown_token_id", _UINT32, struct.pack("<I", _UNKNOWN)),
        _fact("tokenizer.ggml.bos_token_id", _UINT32, struct.pack("<I", _BEGIN)),
        _fact("tokenizer.ggml.eos_token_id", _UINT32, struct.pack("<I", _END)),
        _fact("tokenizer.ggml.add_space_prefix", _BOOL, b"\0"),
        _fact("tokenizer.chat_template", _STRING, _text(_TEMPLATE)),
    ]
    head, place = b"", 0
    for name, (width, height, data) in tensors.items():
        head += _text(name) + struct.pack("<IQQIQ", 2, width, height, 0, place)
        place += len(data) + -len(data) % _ALIGNED
    start = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(facts)) + b"".join(facts) + head
    with path.open("wb") as file:
        file.write(start + bytes(-len(start) % _ALIGNED))
        for _, _, data in tensors.values():
            file.write(data + bytes(-len(data) % _ALIGNED))


def _token(piece: str | bytes, vocabulary: Sequence[str]) -> int:
    return _BYTES + piece[0] if isinstance(piece, bytes) else vocabulary.index(piece)


def _one_in_a_row(size: int, places: dict[int, int], value: float) -> bytes:
    rows = bytearray(4 * size * size)
    for row, column in places.items():
        struct.pack_into("<f", rows, 4 * (row * size + column), value)
    return bytes(rows)


def _all(value: float, size: int) -> bytes:
    return struct.pack("<f", value) * size


def _text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def _array(kind: int, values: Sequence[bytes]) -> bytes:
    return struct.pack("<IQ", kind, len(values)) + b"".join(values)


def _fact(name: str, kind: int, value: bytes) -> bytes:
    return _text(name) + struct.pack("<I", kind) + value


def serve(folder: Path) -> None:
    """Until it is killed."""
    import xllamacpp

    model = folder / "tiny.gguf"
    make_model(model)
    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.n_parallel = str(model), 8192, 2
    params.port, params.offline, params.warmup = 0, True, False
    params.api_keys = [KEY]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)  # noqa: T201
    while True:
        time.sleep(60)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
