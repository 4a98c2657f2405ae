"""Writes docs/cli.md from the command line's own help texts: ``python docs/make_cli.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from vaezip.cli import COMMANDS, main

PAGE = Path(__file__).parent / "cli.md"

_WIDTH = 100

_HEAD = """\
# The command line

<!-- Made by docs/make_cli.py; do not edit. -->
"""

_TAIL = """\
## Pictures and metadata

A JPEG comes back as the same file, byte for byte ([JPEG files](#jpeg-files)). Of other formats the
picture comes back, not the file: every sample, and of the metadata what this table says. `decompress`
writes all of it into PNG; into another format what stands in that format's row.

| format | read | written | metadata |
|-|-|-|-|
| PNG | all but animated | everything | as listed below |
| WebP | still | 8-bit RGB and RGBA | ICC profile, EXIF, XMP |
| TIFF | 1 or 8 bits, or 16-bit grey | the same | palette, ICC profile, XMP, resolution, EXIF (written in part) |
| BMP | yes | black and white, 8-bit grey, RGB | palette (read only), resolution |
| PPM, PGM, PBM | 1 or 8 bits, or 16-bit grey, whose greatest value is 255 or 65535 | the same | none |
| GIF | still | no | palette, transparency |
| JPEG | every | as the file that it was | all |
| JPEG by its pixels, JPEG 2000, AVIF | still; as decoded | no: lossy | ICC profile, EXIF, XMP, resolution |

Refused, with the remedy, are pictures in CMYK, YCbCr, LAB or HSV, with floating-point samples, with
more than 16 bits, with 16 bits in colour but for PNG, with colours that are multiplied by alpha, or
with channels of other kinds; animations; and files of several pictures.

Of PNG these are kept: palette, transparency, ICC profile, EXIF, XMP, texts, resolution, gamma, the chunks
cICP, mDCV, cLLI, sRGB, cHRM, sBIT, bKGD, hIST, pCAL, sCAL, sPLT, sTER, tIME and all others that are safe to
copy, and the bits that store grey or an index.

Dropped is all other metadata: of PNG private chunks that are not safe to copy (such as caBX, which C2PA
signs the file with), chunks that are malformed or damaged and do not matter to the pixels, a second chunk
where there may be one, data behind the end, the palette that a true-colour picture suggests, and the
name of the ICC profile; of GIF and JPEG comments; of TIFF tags of other kinds. `compress` and
`decompress` say so where it happens (but for the name of the profile and comments in PPM), in one line
for all pictures, or with `-v` in one for each.

## Messages and exit status

An error is one line on standard error, `vaezip: FILE: reason; remedy`. A command does the other
files all the same, and ends with

| status | meaning |
|-|-|
| 0 | all went well |
| 1 | at least one file failed |
| 2 | the command line is wrong |
| 129, 130, 143 | as shells show the end by a signal: the terminal was closed, Ctrl-C, terminated |

Where standard output is a pipe that nobody reads any more, as after `head`, a command ends without a
message and with 1; where it takes nothing for another reason, that is an error as any. Where standard
error takes nothing, the work goes on.

A line on each file that went well, and progress, are shown where standard error is a terminal;
`-v` shows the lines elsewhere too, `-q` neither. `-q` also leaves out remarks: what was skipped or
dropped, and that functions are compiled, which takes up to a minute, once on a machine. The lines
of `test` that a file is ok, of `info` and of `models` go to standard output.

Files are written whole or not at all: after an error or an interrupt, what stood under the name of
the output still stands there, and no temporary file is left. Devices and pipes are written to
directly. A file that one picture became has the permissions and the time of modification of what
it was made from; in no case does a file have permissions that an input, or what stood there before,
lacks. A set is not written if one of its pictures cannot be compressed; of a damaged set,
`decompress` writes the pictures that are intact.

## JPEG files

`compress` keeps a JPEG as the file that it is: it codes the coefficients anew, in fewer bytes, and
`decompress` makes the same file of them, with everything before, in and behind the picture, also where
vaezip does not read the pixels (CMYK) or where several pictures or a film are in the file. Nothing in a
set differs from that.

A JPEG that is damaged, arithmetic-coded, lossless, hierarchical or of 12 bits, or that was coded in a
way of its own, is kept as it is, and a remark says why. Damage is not repaired and does not hinder: the
same file comes back.

`decompress -o photo.png` writes the pixels that Pillow decodes. `compress --pixels` codes these pixels
and the metadata in the place of the file, as of every other format.

## Files kept as they were

Where nothing makes a picture smaller, `compress` keeps the file that it came in, byte for byte.

`decompress` gives such a file, or a JPEG, back byte for byte under the name that it had; `.jpg` and so
on is added where that name has no suffix of a picture. Where `-o` names a file, it does so if that has a
suffix of the format, and else it writes the picture. On standard output it gives a JPEG as the file, and
anything else as PNG.

## Names in a set

A picture given by its file is called by the base name, one found in a folder by its path in that
folder, with forward slashes. Where two would be called alike, all are called by their path from the
folder that they have in common. `decompress` refuses a set with a name that would leave the folder
(absolute, with `..`, a drive letter or a backslash), or with two names for one file; `--only NAME
-o FILE` takes such a picture out.

## `vaezip info --json`

A list with one object per FILE that could be read, in their order:

| field | type | meaning |
|-|-|-|
| `file` | string | as given |
| `bytes` | integer | size of the file |
| `bits_per_dimension` | number | bytes × 8 / Σ (width × height × channels) |
| `version` | integer | of the format |
| `layout` | string | `inline` (one picture, one block) or `archive` |
| `pictures` | list | |
| `pictures[].name` | string | `""` for a single picture without a name |
| `pictures[].mode` | string | `1`, `L`, `LA`, `RGB`, `RGBA`, `P`, `I;16`, `LA;16`, `RGB;16` or `RGBA;16` |
| `pictures[].width`, `.height` | integer | in pixels |
| `pictures[].metadata` | list of strings | its kinds, sorted: `exif`, `icc`, `png-chunk`, `srgb`, and so on |
| `blocks` | list | in the order of the file |
| `blocks[].method` | string | name of the model, `unknown` if it is not here, `webp`, `verbatim` or `jpeg` |
| `blocks[].fingerprint` | string | of the model, in hexadecimal; zeros for `webp`, `verbatim` and `jpeg` |
| `blocks[].bytes` | integer | size of the coded pixels |
| `blocks[].steps` | integer | K, the gradient steps that a decoder takes |
| `blocks[].steps_on` | string or null | `posterior` or `pixel network`; null if no model is there |
| `models` | list | the models in the file, as `--embed-model` puts them there |
| `models[].name` | string | of the model |
| `models[].fingerprint` | string | as in the blocks |
| `models[].bytes` | integer | that it takes in the file |

Of a file that is kept as it was, mode and method are `verbatim`, and `file_bytes` is there in the place
of width and height. Of a JPEG, the method is `jpeg`; mode (`L`, `RGB` or `CMYK`), width and height are
those of its picture, and `file_bytes` is there, too. Of a single picture of its model's own size, such
as a digit, only the model tells the size: without it `info` fails. Later versions may add fields.

## `vaezip models --json`

A list with one object per model, in alphabetical order:

| field | type | meaning |
|-|-|-|
| `name` | string | for `--model` |
| `fingerprint` | string | in hexadecimal, as in files made with it |
| `channels`, `levels` | integer | what it codes: 1 or 3 channels, 2 or 256 values of each |
| `tile` | list of two integers | height and width that one latent vector describes |
| `tiled` | boolean | whether it codes pictures of any size, in such tiles |
| `latents` | integer | latent variables of a tile |
| `parameters` | integer | weights and biases of encoder and decoder |
| `bytes` | integer | size of the model file |
| `information` | object | what the model's card says: training, rates |

Later versions may add fields.
"""


def render() -> str:
    """The page."""
    return "\n".join([_HEAD, *_sections(), _TAIL])


def _sections() -> Iterator[str]:
    group = click.Context(main, info_name="vaezip", terminal_width=_WIDTH, **main.context_settings)
    yield f"```\n{main.get_help(group)}\n```\n"
    for name in COMMANDS:
        command = main.get_command(group, name)
        assert command is not None
        context = click.Context(command, parent=group, info_name=name, terminal_width=_WIDTH)
        yield f"## `vaezip {name}`\n\n```\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
