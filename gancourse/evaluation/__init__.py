"""How good samples are, and how a training goes: distances, judges, a monitor and what its readings mean."""
