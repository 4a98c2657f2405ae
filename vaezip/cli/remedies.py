"""The remedies of errors, in the words of the command line: no other module names its options."""

from __future__ import annotations

from vaezip.errors import VaezipError

REMEDIES = {
    "other-model": "use --model auto",
    "not-strict": "leave out --strict to compress it without",
    "more-pixels": "raise it with --max-pixels",
    "as-a-file": "write it to a file, and name that",
    "more-memory": "raise it with --memory",
    "more-work": "raise it with --max-work",
    "not-embedded": "leave out --embed-model",
    "model-file": "give the model file by --model PATH",
    "take-alone": "take it out with --only NAME -o FILE",
    "overwrite": "use -f to overwrite it",
    "other-output": "name another with -o",
    "more-space": "make room, or name a place elsewhere with -o",
    "data-folder": "give --data DIR",
    "bench": "install it with: pip install '.[bench]' in a checkout of vaezip",
    "formats": "install it with: pip install '.[formats]' in a checkout of vaezip",
    "dicom": "install it with: pip install '.[dicom]' in a checkout of vaezip",
    "fsspec": "install it with: pip install '.[dask]' in a checkout of vaezip",
    "dask": "install it with: pip install '.[dask]' in a checkout of vaezip",
    "torch": "install it with: pip install '.[torch]' in a checkout of vaezip",
    "cpu": "use --device cpu",
    "as-folder": "name a folder with -o, for a file each",
    "begin-with-nothing": "use --start none, or another model",
    "begin-anew": "use -f to begin anew, or another -o",
    "elbo-alone": "leave --objective out, or use --arch resnet",
    "lower-rate": "give a lower --learning-rate",
    "lower-rate-elsewhere": "give a lower --learning-rate and, so that what was trained before stays, another -o",
    "other-batch": "change --batch",
    "other-hidden": "change --hidden",
    "other-latents": "change --latents",
    "resnet": "use --arch resnet",
    "smaller-batch": "give more pictures or a smaller --batch",
    "smaller-valid": "give a smaller --valid",
    "train-anew": "train anew with a lower --learning-rate",
}
"""The remedies by the key that an error carries."""


def worded(error: VaezipError) -> str:
    """Return the reason of an error, and its remedy where there is one."""
    return "; ".join(filter(None, (str(error), REMEDIES.get(error.remedy or ""))))
