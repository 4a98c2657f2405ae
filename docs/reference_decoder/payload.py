"""Chapter 2: the bytes of a block."""

import zlib

import numpy as np

from .cost import chain_work, check_work, origin_work
from .deep import decode_deep
from .graphics import decode_graphic
from .jpeg_file import decode_file
from .jpeg_pixels import decode_pictures
from .model_file import Model, find_model
from .modes import COLOURS, GREY, JPEG, MODES, ROWS, TWO_LEVELS, WITH_MODELS
from .origins import Origin
from .pixel_model import decode_pixel_chain
from .primitives import Reader, require
from .remade import decode_remade
from .tile_model import decode_tile_chain

Size = tuple[int, int, int]
Models = dict[bytes, Model]

NO_MODEL = bytes(4)
GRAPHIC, JPEG_PIXELS, REMADE, DEEP = (bytes([0, 0, 0, number]) for number in (1, 2, 3, 4))


def decode_block(data: bytes, number: int, size: Size, mark: bytes, models: Models, crc: int) -> np.ndarray:
    """Decode the samples (n, h, w, channels) of a block, whose mode has a number, and check them (section 2.1)."""
    samples, checksum = decode_samples(data, number, size, mark, models)
    raw = samples.astype("<u2" if MODES[number].bits == 16 else "u1").tobytes()
    require(zlib.crc32(raw, crc) == checksum, "the block is damaged: its checksum differs")
    return samples


def decode_samples(data: bytes, number: int, size: Size, mark: bytes, models: Models) -> tuple[np.ndarray, int]:
    """Decode the samples and the checksum of a block."""
    mode = MODES[number]
    shape = (*size, mode.channels)
    if mark == GRAPHIC:
        require(number not in ROWS and mode.bits < 16, "the graphics coder does not code this mode")
        samples, checksum = decode_graphic(data, shape)
    elif mark == JPEG_PIXELS:
        samples, checksum = decode_pictures(data, number, shape)
    elif mark == DEEP:
        require(number in (*range(1, 5), *range(6, 10)), "the deep coder does not code this mode")
        samples, checksum = decode_deep(data, shape, mode.bits)
    elif mark == REMADE:
        require(number not in ROWS, "files are made of no pictures")

        def decode_part(part: bytes, mode: int, shape: tuple[int, ...], mark: bytes) -> tuple[np.ndarray, int]:
            require(mark != REMADE, "a part is made of others")
            return decode_samples(part, mode, shape[:3], mark, models)

        samples, checksum = decode_remade(data, number, shape, decode_part)
    elif mark == NO_MODEL:
        require(number in ROWS, "nothing tells what codes the pictures")
        file, checksum = decode_file(data, size[2]) if number == JPEG else take_bytes(data)
        require(len(file) == size[2], "the block has another length than its file")
        samples = np.frombuffer(file, np.uint8).reshape(shape)
    else:
        samples, checksum = decode_with_model(data, number, size, find_model(models, mark), models)
    require(number not in TWO_LEVELS or samples.max() <= 1, "a sample is not 0 or 1")
    return samples, checksum


def take_bytes(data: bytes) -> tuple[bytes, int]:
    """Take the bytes of a file as they are, and the checksum before them (section 2.3)."""
    reader = Reader(data)
    checksum = reader.number(4)
    return reader.rest(), checksum


def decode_with_model(data: bytes, number: int, size: Size, model: Model, models: Models) -> tuple[np.ndarray, int]:
    """Decode the samples and the checksum of a block with a model (section 2.4)."""
    mode = MODES[number]
    colours = mode.channels - mode.alpha
    reader = Reader(data)
    steps, shape = reader.number(1), (*size, colours)
    origin = None
    if steps >> 7:
        require(number in COLOURS, "pictures of this mode have no origin")
        origin, steps = Origin(reader, size), steps & 127
        shape = origin.shape
    check_model(model, GREY if origin and origin.halved else number, shape[3], shape[:3])
    least = shape[0] * shape[1] * shape[2] * shape[3] * (model.levels - 1) / 2**22 * 1.4426950408889634 / 64
    require(len(data) >= least, "the payload is too short")
    alpha = decode_alpha(reader, size, models) if mode.alpha else None
    before = zlib.crc32(data[1 : reader.position]) ^ zlib.crc32(data[:1])
    work = chain_work(reader.data[reader.position :], shape, model, steps)
    check_work(work + (origin_work(origin.differences.unexplained, size) if origin else 0), size)
    chain = decode_pixel_chain if model.kind == "local" else decode_tile_chain
    values, seed = chain(reader.rest(), shape, model, steps)
    if number in TWO_LEVELS and model.levels == 256:
        values = values // 255
    if origin:
        values = origin.colours(values)
    samples = values.astype(np.uint8)
    if alpha is not None:
        samples = np.concatenate([samples, alpha], axis=-1)
    return samples, seed ^ before


def check_model(model: Model, number: int, colours: int, size: Size) -> None:
    """Refuse a model that does not code this mode or size."""
    fitting = number in WITH_MODELS and colours == model.channels
    require(fitting, "the model does not code pictures of this mode")
    require(number in TWO_LEVELS or model.levels == 256, "the model codes black and white only")
    require(model.tiled or size[1:] == model.tile, "the model codes pictures of its own tile size only")


def decode_alpha(reader: Reader, size: Size, models: Models) -> np.ndarray:
    """Decode the alpha channel, (n, h, w, 1), of a block with a model (section 2.4.1)."""
    length = reader.number(4)
    inner = Reader(reader.take(length & 0x7FFFFFFF))
    if length >> 31 == 0:
        return decode_graphic(inner.rest(), (*size, 1))[0]
    model = find_model(models, inner.take(4))
    return decode_with_model(inner.rest(), GREY, size, model, models)[0]
