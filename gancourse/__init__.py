"""A notebook course on generative adversarial networks: what its chapters share."""

import os

# TensorFlow's notes on the machine it runs on would stand in the outputs of every notebook.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
