"""Chapter 6: model files."""

import hashlib
import json
import math
from functools import cached_property
from pathlib import Path

import numpy as np

from .networks import Network
from .primitives import FormatError, require

DTYPES = {
    "I8": "int8",
    "U8": "uint8",
    "I16": "int16",
    "U16": "uint16",
    "I32": "int32",
    "U32": "uint32",
    "I64": "int64",
    "U64": "uint64",
    "F16": "float16",
    "F32": "float32",
    "F64": "float64",
}
MOST_JSON = 1 << 20  # section 11.1
SETTINGS = {"mean_rate": 0.6, "sigma_rate": 0.03, "decay": 0.3, "noise": 0.25, "beta1": 0.7, "beta2": 0.99}
PARAMETERS = {"bernoulli": 1, "logistic": 2, "colour-logistic": 3}


class Model:
    """Hold the networks of a model file."""

    def __init__(self, data: bytes) -> None:
        """Read a model from the bytes of its file (section 6.1)."""
        length = int.from_bytes(data[:8], "little")
        require(length <= MOST_JSON, "the JSON of a model is too long")
        try:
            header = json.loads(data[8 : 8 + length])
        except ValueError as error:
            raise FormatError("the header of a model file is no JSON") from error
        self.metadata = header.pop("__metadata__")
        buffer = data[8 + length :]
        self.tensors = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            dtype = np.dtype(DTYPES[entry["dtype"]]).newbyteorder("<")
            require(0 <= begin <= end <= len(buffer), "the values of a tensor are not within the file")
            size = math.prod(entry["shape"]) * dtype.itemsize
            require(end - begin == size, "a tensor has another size than its shape")
            self.tensors[name] = np.frombuffer(buffer[begin:end], dtype).reshape(entry["shape"])
        self.architecture = json.loads(self.metadata["architecture"])
        self.settings = read_settings(json.loads(self.metadata["settings"]))

    @cached_property
    def fingerprint(self) -> bytes:
        """Compute the fingerprint (section 6.5)."""
        digest = hashlib.sha256()
        for text in ("architecture", "settings"):
            digest.update(self.metadata[text].encode() + b"\0")
        for name in sorted(self.tensors):
            tensor = self.tensors[name]
            shape = tuple(int(side) for side in tensor.shape)
            digest.update(f"{name} {tensor.dtype.name} {shape}".encode() + b"\0" + tensor.tobytes())
        return digest.digest()[:4]

    @property
    def kind(self) -> str:
        """Tell the family: `local` is a pixel model, anything else a tile model."""
        return self.architecture.get("kind", "tile")

    @property
    def tile(self) -> tuple[int, int]:
        """Return the height and the width of a tile."""
        return tuple(self.architecture["tile"])

    @property
    def levels(self) -> int:
        """Return how many values a sample may have."""
        return self.architecture.get("levels", 256)

    @property
    def channels(self) -> int:
        """Return the number of channels."""
        return self.architecture["channels"]

    @property
    def tiled(self) -> bool:
        """Tell whether pictures of any size are cut into tiles."""
        return self.architecture.get("tiled", True)

    @property
    def offset(self) -> int:
        """Return what is subtracted from values before the encoder."""
        return self.architecture.get("offset", 128)

    @property
    def latents(self) -> int:
        """Return the number of latents of a tile."""
        return int(np.prod(self.architecture["latent"]))

    @property
    def coarse(self) -> np.ndarray:
        """Return the coarse grid of each latent."""
        return self.tensors["coarse"].astype(np.int64)

    @cached_property
    def encoder(self) -> Network:
        """Build the network from the values of a tile to its posterior."""
        bound = max(self.offset, self.levels - 1 - self.offset)
        return Network(self.architecture["encoder"], self.tensors, bound)

    @cached_property
    def decoder(self) -> Network:
        """Build the network from z to the parameters of values, or to the style biases of a pixel model."""
        return Network(self.architecture["style" if self.kind == "local" else "decoder"], self.tensors, 2048)


def read_settings(given: dict) -> dict[str, float]:
    """Check the settings of a model and complete them with the defaults (section 8.2)."""
    require(set(given) <= set(SETTINGS), "unknown settings of a model")
    result = SETTINGS | {key: float(value) for key, value in given.items()}
    require(all(0 <= value <= 100 for value in result.values()), "a setting is out of range")
    require(result["noise"] >= 2.0**-10 and result["beta1"] < 1 and result["beta2"] < 1, "a setting is out of range")
    return result


def load_models(folder: Path) -> dict[bytes, Model]:
    """Read all model files of a folder, by their fingerprints."""
    models = [Model(path.read_bytes()) for path in sorted(folder.glob("*.safetensors"))]
    return {model.fingerprint: model for model in models}


def find_model(models: dict[bytes, Model], fingerprint: bytes) -> Model:
    """Find a model by its fingerprint."""
    require(fingerprint in models, f"there is no model with fingerprint {fingerprint.hex()}")
    return models[fingerprint]
