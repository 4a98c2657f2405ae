"""Section 11.1: what the directory of a file may list, by the number of bytes of the file."""

from .primitives import require

LONGEST_NAME, MOST_PARTS, LONGEST_MODEL_NAME = 4095, 255, 255
MOST_METADATA = 1 << 26
MOST_MODELS = 1 << 10


class Budget:
    """Count what all groups of a file list together."""

    def __init__(self, size: int) -> None:
        """Begin with what a file of so many bytes may list."""
        self.left = {
            "pictures": min(1 << 22, (1 << 16) + size // 4),
            "bytes of names": min(1 << 28, (1 << 24) + 8 * size),
            "pieces of metadata": min(1 << 22, (1 << 18) + size),
            "bytes of metadata": min(1 << 40, (1 << 28) + 256 * size),
        }

    def take(self, what: str, count: int) -> None:
        """Take so many, and refuse a file that lists too many."""
        self.left[what] -= count
        require(self.left[what] >= 0, f"a file of this size lists too many {what}")

    def take_boxes(self, boxes: list[tuple[int, bytes]]) -> None:
        """Take the bytes of the boxes of one picture."""
        size = sum(len(content) for _, content in boxes)
        require(size <= MOST_METADATA, "a picture has too much metadata")
        self.take("bytes of metadata", size)


def check_name(longest: str) -> None:
    """Refuse a run of names by its longest."""
    require(len(longest.encode()) <= LONGEST_NAME, "a name is too long")
    require(longest.count("/") < MOST_PARTS, "a name has too many parts")
