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
## As in other programs

What users of `zstd` type works: `vaezip -d FILE` decompresses, `-t` tests, `-l` lists, `-z` compresses, also joined
to other flags as in `-dc`; `-T0` takes all cores, `-c` and `--stdout` write to standard output, `-k` keeps inputs,
which is done without it, and a pipe needs no `-`. `--best` is `-9`, and `--fast` is `-1`; of several the last counts.
Of an option or a command that vaezip does not have, the message names the one that does the same.

`--rm` removes an input once its output is on the disk (by `fsync`), was read back and is whole, if the input still is
what was read, and nothing of it was dropped. What `compress` wrote it has decoded and compared before. But of formats
other than JPEG the picture comes back and not the file: another PNG of the same pixels and metadata.

`--only` takes several pictures out of a set: names, base names, and patterns, of which `*` also stands for slashes.

`vaezip completion bash` (or `zsh`, `fish`) prints what makes the shell complete commands and options. `pip install`
puts a manual page beside the program: `man vaezip`. `NO_COLOR` leaves colours and bold letters out.

## Pictures in a terminal

```
vaezip view photo.png.vz          # one picture as wide as the terminal
vaezip view photos.vz             # a set as one contact sheet
vaezip view *.vz -o sheet.png     # the same as a picture
```

![A terminal of 80 columns](terminal-view.png)

![info, progress and a summary](terminal-info.png)

## In a file manager

`pip install` puts a MIME type (`image/x-vaezip`, `*.vz`) and an entry for thumbnails into the folder `share` of its
environment, as freedesktop.org describes them. Desktops look for them in `/usr/share`, `/usr/local/share` and
`~/.local/share`, so from a virtual environment link or copy both, and tell the database:

```
mkdir -p ~/.local/share/mime/packages ~/.local/share/thumbnailers
cp VENV/share/mime/packages/vaezip.xml ~/.local/share/mime/packages/
cp VENV/share/thumbnailers/vaezip.thumbnailer ~/.local/share/thumbnailers/
update-mime-database ~/.local/share/mime
```

`vaezip` must be in the desktop's `PATH`; one that runs thumbnailers in a sandbox, as GNOME does, finds it in `/usr`
alone. A thumbnail takes as long as its picture takes to decode. Pillow's plugin serves viewers that are written in
Python ([an example](examples/pillow.md)). There is no plugin for gdk-pixbuf, Qt, Quick Look of macOS or Explorer of
Windows.

## A page of results

`vaezip report DIR -o report.html` makes one file of HTML that needs nothing else, from all `.vz` files in a folder:
thumbnails, the bytes of each picture beside PNG, lossless WebP and JPEG XL, what it was before, and its rate over the
time at which it was last changed. The columns are sorted by a click.

![The page in Chromium](report.png)

## Pictures and metadata

A JPEG comes back as the same file, byte for byte ([JPEG files](#jpeg-files)). Of other formats the
picture comes back, not the file: every sample, and of the metadata what this table says. `decompress`
writes all of it into PNG; into another format what stands in that format's row.

| format | read | written | metadata |
|-|-|-|-|
| PNG | all; animated as frames | everything | as listed below |
| WebP | still | 8-bit RGB and RGBA | ICC profile, EXIF, XMP |
| TIFF | see below; several pages as such | 1, 8, 16-bit grey | palette, ICC profile, XMP, resolution, EXIF |
| BMP | up to 8 bits a channel | black and white, 8-bit grey, RGB | read only: palette, ICC profile, sRGB; resolution |
| PPM, PGM, PBM | 1 bit, or a greatest value of 255 to 65535 | 1 or 8 bits, or 16-bit grey | none |
| GIF | all; animated as frames | animated | palette, transparency, ICC profile, XMP, shape of the pixels |
| JPEG | every | as the file that it was | all |
| JPEG by its pixels | still, 8 bits; as decoded | no: lossy | ICC profile, EXIF, XMP, resolution |
| JPEG 2000, AVIF | still, 8 bits; see below; as decoded | no: lossy | ICC profile, EXIF, XMP, resolution, cICP |
| DICOM, FITS | [see below](#dicom-and-fits); frames, planes and images as pages | as the file that it was | all |

A picture is read only if its kind (format, colours, bits, sign) is on a list of those that are known to be read
exactly (`vaezip/pictures/exact_kinds.py`). Refused, by its true kind and with the remedy, is everything else: CMYK,
YCbCr, LAB or HSV, samples with a sign, with a floating point or with more than 16 bits, but for those of [DICOM and
FITS](#dicom-and-fits), colours that are multiplied by alpha, and channels of other kinds; animated WebP and AVIF; and
files of several pictures, but for [animations and pages](#animations-and-pages). The extra `formats` (tifffile and
imagecodecs) reads TIFF with colours of 16 bits, with 9 to 15 bits or compressed as LERC, JPEG 2000 or WebP, and JPEG
2000 and AVIF of 9 to 16 bits; without it the message names it.

Of TIFF, 1, 2, 4 and 8 bits, and grey of 12 and 16, need no extra. What comes back of other depths: grey of 2 and 4
bits and the channels of a BMP of fewer than 8 bits become 8 bits with the values that they stand for (BMP rounds
down, as Pillow does); samples of 9 to 15 bits become 16 bits with the values as they are, not shifted, and a remark
tells the depth; a TIFF palette whose colours need 16 bits becomes 16-bit RGB; white-is-zero becomes black-is-zero.

Damage is refused where it shows. PNG and deflated TIFF have checksums; a fax (CCITT) must add up to its width, and the
Huffman codes of a JPEG to its blocks, so most damage of the one and about half of that of the other shows; damage of a
JPEG that gives other codes of the same number does not, nor does that of TIFF in LZW, PackBits or without compression.

Of PNG these are kept: palette, transparency, ICC profile, EXIF, XMP, texts, resolution, gamma, the chunks
cICP, mDCV, cLLI, sRGB, cHRM, sBIT, bKGD, hIST, pCAL, sCAL, sPLT, sTER, tIME and all others that are safe to
copy, and the bits that store grey or an index.

Dropped is all other metadata: of PNG private chunks that are not safe to copy (such as caBX, which C2PA
signs the file with), chunks that are malformed or damaged and do not matter to the pixels, a second chunk
where there may be one, data behind the end, the palette that a true-colour picture suggests, and the
name of the ICC profile; of GIF, JPEG and PNM comments; of TIFF tags of other kinds. `compress` and
`decompress` say so where it happens (but for the name of the profile), in one line for all pictures, or
with `-v` in one for each. `compress --strict` refuses such pictures instead, and ends with status 1; of a set,
the others are written.

A PNG that `decompress` writes is not the file that the picture came in, and may be larger than it: `--png-level 9` is
smaller and slower than the default, 6. The rows of a PNG are filtered, or not, by what makes some of them shorter.

### What else a file may hold

Each file is walked to its end, and whatever stands in it beside the picture is kept, named as dropped, or a reason to
refuse the file:

- **Another picture of equal rank** is a reason to refuse: the other view of a stereo camera, a frame of WebP or AVIF,
  files that were put one behind the other, of whatever formats. Frames of GIF and PNG and pages of TIFF are
  [taken apart](#animations-and-pages).
- **What serves the one picture** is named: thumbnails, previews, the reduced pictures of a pyramid and transparency
  masks in TIFF, gain maps, depth maps, the video of a motion photo, an index of several pictures. A picture behind a
  JPEG counts as such only if an index (MPF), the XMP, or its own segments say so; else it is of equal rank.
- **Bytes behind the end** that are nothing of this are named by their number.
- **Metadata** that no box holds are named, also in part: comments, Photoshop and C2PA segments, tags, chunks, boxes and
  items of other kinds, a colour space of a BMP, the second of two profiles, EXIF or XMP, and metadata that are damaged,
  which never keep a picture out.
- **A resolution** without a unit is kept as such; one that whole pixels a metre would round is kept in the EXIF data of
  a TIFF beside them, so that 300 dots an inch, and the scale of ImageJ, come back into a TIFF as they were.
- **The EXIF data of a TIFF** are put together anew, each value as it is. The note of a camera's maker is kept where it
  counts positions from its own beginning (Apple, Fujifilm, Nikon, Olympus, Pentax), and dropped where it holds absolute
  ones. EXIF data of other formats are kept byte for byte; a TIFF that is written gets them but for thumbnails, such
  notes, and tags that belong to the former file.
- **XMP of a JPEG in several segments** is put together into one packet, if its digest fits.

### Animations and pages

An animated GIF or PNG becomes a set of its frames, each as large as the part of the whole that it covers and as deep as
it was, and a TIFF of several pages a set of these. Each picture keeps, in a chunk `vzFr`, where it lies, how long it is
shown, what becomes of it then, how it is laid on what was before, and how often all is shown. Names tell the order:
`0001.png` or `0001.tif` and so on; `info` says "an animated GIF of 24 frames, 1.92 s". Where the set would be larger
than the file, the file is kept as it was.

`decompress anim.gif.vz` makes `anim.gif` again, and so do `.png`, `.apng`, `.tif` and `.tiff`: not byte for byte, but
every frame or page, delay, place and colour. What it writes it has taken apart again and compared; where the format
cannot hold the pictures exactly (a TIFF with colours of 16 bits), it says so, and `-o FOLDER` writes a file each. In
a set of several files, an animation is a folder of frames.

### DICOM and FITS

`scan.dcm.vz` becomes `scan.dcm` again, and `sky.fits.vz` becomes `sky.fits`, byte for byte: the picture keeps all
that stands around its samples, every element, card, table and private block, in a box, which `info` shows as
`dicom-header` or `fits-header`. To write the file again takes neither pydicom nor any other library. `-o scan.png`
writes the picture, and the box with it, as PNG keeps all metadata: **also the name of a patient**. Another format,
such as `.tif`, has the samples alone.

Samples are those that are stored. No Rescale Slope, BSCALE or window is applied, MONOCHROME1 is not turned round, and
the first row of a FITS stays the first, though it is the lowest. What 16 bits do not hold as it is, is shifted, and
the box says by how much: samples with a sign, where one is negative, by half of their range; unsigned ones of FITS by
BZERO; and whole numbers of 32 and 64 bits, in FITS also of floating point, so that the least is 0. If these differ by
65,536 or more, or are no whole numbers, the file is refused.

- **DICOM** (extra `dicom`: pydicom and imagecodecs): grey of 1, 8, 16 and 32 bits, with and without a sign, also 12
  bits in 16; RGB of 8 and 16 bits, by pixel and by plane; palettes of up to 256 colours, of which a PNG shows the
  upper 8 bits. Files in implicit and explicit little-endian and explicit big-endian come back byte for byte; those
  that are deflated, or in RLE, JPEG Lossless, JPEG-LS Lossless or JPEG 2000 Lossless, come back as Explicit VR Little
  Endian with equal samples and elements, and a remark says so.
- **FITS** (no extra): images of BITPIX 8, 16, 32, 64, −32 and −64, planes of cubes, images in extensions.
- **Refused** are DICOM files in a lossy syntax, for the pixels that a decoder makes are not the file; YBR,
  floating-point and byte-swapped ones; those without the preamble, or with more than 8 MiB before their pixel data;
  and FITS that is compressed, by tiles (`funpack` makes it plain) or as a whole (`.gz`).

Of a file with more than 32 MiB around its samples, the samples alone are kept, and a remark says so. Frames of a
DICOM, planes of a cube and the images of a FITS are pages: the set of them makes the file again, byte for byte. In a
folder, files are found by `.dcm`, `.dicom`, `.fits`, `.fit` and `.fts`; name those without a suffix, which come back
with one.

## Messages and exit status

An error is one line on standard error, `vaezip: FILE: reason; remedy`, also where the command line is wrong. A command
does the other files all the same, and ends with

| status | meaning |
|-|-|
| 0 | all went well |
| 1 | at least one file failed |
| 2 | the command line is wrong |
| 129, 130, 143 | as shells show the end by a signal: the terminal was closed, Ctrl-C, terminated |

Where standard output is a pipe that nobody reads any more, as after `head`, a command ends without a
message and with 1; where it takes nothing for another reason, that is an error as any. Where standard
error takes nothing, the work goes on.

Progress is that of the pixels, also within a picture: "34 %, about 2 min left: photo.png". The time that is left
follows from what is done, pixels of a picture that was read and bytes of one that was not, and is told after three
seconds. The share counts all passes: what is tried, coded, decoded again and compared.

A line on each file that went well, and progress, are shown where standard error is a terminal;
`-v` shows the lines elsewhere too, `-q` neither. `-q` also leaves out remarks: what was skipped or
dropped, and that functions are compiled, which takes up to a minute, once on a machine. The lines
of `test` that a file is ok, of `info` and of `models` go to standard output.

Files are written whole or not at all: after an error or an interrupt, what stood under the name of
the output still stands there, and no temporary file is left. Without `-f` no file is overwritten, not
even one that appears while vaezip works. (Where a file system has no hard links, as FAT, an empty file
holds the place for a moment: who writes into that without asking whether it is there loses what was written.)
Devices and pipes are written to directly, but not where they stand in a folder of outputs. In such a
folder, no link to another is followed.

A file that one picture became has the time of modification of what it was made from, if that was a file.
In no case does a file have permissions that the umask forbids, or that an input, or what stood there
before, lacks; and none is a program. A set tells when each of its pictures was last changed, in whole
seconds, and `decompress` gives these times to their files.

Of a picture file no more is read than 8 bytes for each of `--max-pixels` and 64 MiB; of a `.vz` file that
comes through a pipe, 2 GiB. Devices and sockets are not read, and in folders neither are pipes.

A set is written without what is unfit, and each of these files is told when it is met and again at the
end; only where nothing is fit, there is no set. A set is written once it is whole, so one that was interrupted begins
anew; where that would take long, `--output-dir-mirror` makes a file of each picture and goes on. Of a damaged set,
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

## Damaged sets

`decompress --salvage` writes what is left of a set that was cut, or whose directory is damaged: a set of 64 KiB or
more holds indices between its blocks, one after each half a megabyte or more, from which the blocks before it are
found. What is lost is told by its bytes. Pictures of less than 4 KiB are then called by their number in the set; times
and names of larger ones are kept, and their metadata where it is small. A large picture of which some rows are lost is
written with zeros in their place; one without its palette, as grey. The exit status is 1 where anything was lost.

## Files kept as they were

Where nothing makes a picture smaller, `compress` keeps the file that it came in, byte for byte; in a set, those of the
pictures that share a block, where they take fewer bytes than the block.

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
| `raw_bytes` | integer or null | that the samples take as they are: two of 16 bits, an eighth of mode `1`, else one |
| `bits_per_dimension` | number or null | bytes × 8 / Σ (width × height × channels) |
| `sequence` | string or null | what the pictures were together: "an animated GIF of 5 frames, 1.24 s" |
| `version`, `revision` | integer | of the format |
| `layout` | string | `inline` (one picture, one block) or `archive` |
| `pictures` | list | |
| `pictures[].name` | string | `""` for a single picture without a name |
| `pictures[].mode` | string | `1`, `L`, `LA`, `RGB`, `RGBA`, `P`, `I;16`, `LA;16`, `RGB;16` or `RGBA;16` |
| `pictures[].width`, `.height` | integer | in pixels |
| `pictures[].blocks` | list of integers | places of its blocks in the list of blocks |
| `pictures[].bytes` | integer | size of its coded pixels; of pictures that share a block, an equal part of it |
| `pictures[].metadata` | list of strings | its kinds, sorted: `exif`, `icc`, `png-chunk`, `srgb`, and so on |
| `pictures[].modified` | string or null | last change, in UTC, as `2026-11-30T08:15:00Z`; null if not told |
| `blocks` | list | in the order of the file |
| `blocks[].method` | string | the model, or `graphic`, `deep`, `remade`, `jpeg pixels`, `jpeg`, `verbatim`, `copy` |
| `blocks[].fingerprint` | string | of the model, in hexadecimal, or the mark of what coded without one |
| `blocks[].bytes` | integer | size of the coded pixels |
| `blocks[].steps` | integer | K, the gradient steps that a decoder takes |
| `blocks[].steps_on` | string or null | `posterior` or `pixel network`; null if no model is there |
| `blocks[].origin` | object or null | their origin: `name`, `chroma` ("4:2:0"), `pixels`, `explained`, `rectangles` |
| `models` | list | the models in the file, as `--embed-model` puts them there |
| `models[].name` | string | of the model |
| `models[].fingerprint` | string | as in the blocks |
| `models[].bytes` | integer | that it takes in the file |

A picture that equals another of the set has `copy_of`, the name of that; its mode and size are those of the other.

Of a file that is kept as it was, mode and method are `verbatim`, and `file_bytes` is there in the place
of width and height. Of a JPEG, the method is `jpeg`; mode (`L`, `RGB` or `CMYK`), width and height are
those of its picture, and `file_bytes` is there, too. With a verbatim file, or a JPEG of other colours, `raw_bytes` and
`bits_per_dimension` are null.
Of a single picture of its model's own size, such as a digit, only the model tells the size: without it
`info` fails. Later versions may add fields.

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
