"""Decode `.vz` files: a second reader, written from the chapters in `docs/format` alone, to be read beside them.

It needs Python and NumPy. It is slow, raises FormatError at the first block or
picture that is damaged, and checks less of a hostile file or model than chapter 11 asks for. Of a verbatim or JPEG
block it gives the bytes of the file, as the samples of one row. Read its modules in this order:

    layout, modes, primitives    chapter 1, and the numbers of section 0.2
    limits                       section 11.1: what a directory may list
    payload                      chapter 2
    stack                        chapter 3
    exact                        chapter 4
    distributions                chapter 5
    model_file, networks         chapter 6, and section 8.6: going back through layers
    tile_model                   chapter 7
    posterior                    chapter 8
    pixel_model                  sections 9.1 and 9.5, and the gradients of section 8.7
    waves                        section 9.1: the order in which pixels are decoded
    context                      section 9.2
    least_squares                section 9.3
    pixel_network                section 9.4, and section 8.7
    adaptation                   sections 10.1 to 10.3
    calibration                  section 10.4
    learning                     sections 10.5 and 10.6
    jpeg_file, jpeg_dictionary   chapter 12
    coefficients                 chapter 13
    histories, graphics          chapter 15
    jpeg_pixels                  chapter 16
    cost                         section 11.5: the work of a block

Where arrays are worked on as a whole, the results are those of the pseudo-code, one number after the other: floats are
only added in the order that the chapters give, and integers are exact.
"""

from .layout import Picture, decode
from .model_file import Model, load_models
from .primitives import FormatError

__all__ = ["FormatError", "Model", "Picture", "decode", "load_models"]
