"""Errors that have been answered."""


def forget_frames(error: BaseException) -> None:
    """Forget the frames of an error and the errors that it was raised from, whose frames keep the request.

    The request, or the frame that answers, keeps the error; else only the garbage collector would free them all.
    """
    error.__traceback__ = error.__context__ = error.__cause__ = None
