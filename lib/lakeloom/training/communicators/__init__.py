"""How the workers of a training talk. One file a kind: a class with ``launch`` and the worker's side."""

COMMUNICATORS = {
    "single": "lakeloom.training.communicators.single:Single",
    "torch": "lakeloom.training.communicators.distributed:Distributed",
    "horovod": "lakeloom.training.communicators.horovod:Horovod",
}
