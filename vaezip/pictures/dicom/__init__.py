"""Read DICOM: pydicom reads its header, imagecodecs decodes samples that are compressed."""
