"""YAML 1.2 with line marks → overlays → raw, marked envelopes. Typing them is `lakeloom.project`'s work."""
