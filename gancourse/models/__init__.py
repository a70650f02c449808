"""Networks that the course ships or loads: modules in the form of TensorFlow Hub."""
