"""A notebook course on generative adversarial networks: what its chapters share."""

from gancourse import backend

backend.watch()
