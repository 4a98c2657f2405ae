"""Make Pillow open and save ``.vz`` files: ``import vaezip.pillow``; see ``docs/examples/pillow.md``."""

from vaezip.integrations.pillow import VzImageFile, register

__all__ = ["VzImageFile", "register"]

register()
