"""Code drawn pictures: few colours, repetitions, sharp edges, text, black and white."""
