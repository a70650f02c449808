"""What authors do: run the chapters, build and check their notebooks, gather evidence, run sweeps.

No chapter imports any of it, nor does what a chapter imports; a test holds that.
"""
